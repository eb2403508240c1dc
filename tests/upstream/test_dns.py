"""When the DNS is asked."""

import asyncio
import socket

import pytest

from proxy.upstream import dns as module
from proxy.upstream.dns import Addresses, ask_system, paired
from proxy.upstream.resolved import MOST_TOLD
from tests.house.raw_client import eventually

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
OTHER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", 80))]


class Dns:
    """Answers in turn; an exception is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, host, port):
        self.asked.append((host, port))
        await self.answering.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_numeric_host_asks_nobody(host):
    dns = Dns()
    (address,) = await Addresses(host, 80, dns).resolve()

    assert (host, 80) == address[4][:2]
    assert dns.asked == []


async def test_an_answer_is_used_again():
    dns = Dns(ANSWER)
    addresses = Addresses("chat", 80, dns)

    assert await addresses.resolve() == ANSWER
    assert await addresses.resolve() == ANSWER
    assert dns.asked == [("chat", 80)]


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_is_frozen_is_looked_up_once_at_most(is_known):
    dns = Dns(ANSWER)
    addresses = Addresses("chat", 80, dns)
    if is_known:
        await addresses.resolve()
    addresses.freeze()

    assert ANSWER == await addresses.resolve()
    await asyncio.sleep(0)
    assert [("chat", 80)] == dns.asked
    assert addresses._timer is None


async def test_who_waits_for_a_first_answer_gets_it_though_it_is_frozen():
    dns = Dns(ANSWER)
    dns.answering.clear()
    addresses = Addresses("chat", 80, dns)
    waiting = asyncio.create_task(addresses.resolve())
    await asyncio.sleep(0)
    addresses.freeze()
    dns.answering.set()

    assert ANSWER == await waiting
    assert addresses._timer is None


async def test_an_answer_is_renewed_beside_the_traffic(monkeypatch):
    monkeypatch.setattr(module, "RESOLVE_AGAIN", 0.001)
    dns, told = Dns(ANSWER, OTHER), []
    addresses = Addresses("chat", 80, dns)
    addresses.on_answer = told.append
    assert await addresses.resolve() == ANSWER
    dns.answering.clear()
    await eventually(lambda: len(dns.asked) >= 2)
    assert await addresses.resolve() == ANSWER, "nobody waits for the new one"
    dns.answering.set()
    await eventually(lambda: len(told) >= 2)

    assert [ANSWER, OTHER] == told[:2]
    assert addresses.resolved is not None
    assert ["127.0.0.1"] == addresses.resolved.before
    assert await addresses.resolve() == OTHER
    addresses.close()


async def test_while_the_dns_fails_the_last_answer_stays(monkeypatch):
    monkeypatch.setattr(module, "RESOLVE_AGAIN", 0.001)
    failure = socket.gaierror("no such name")
    dns, told = Dns(ANSWER, failure, [], failure, OTHER), []
    addresses = Addresses("chat", 80, dns)
    addresses.on_failure = told.append
    await addresses.resolve()
    await eventually(lambda: told == ["no such name"])
    assert await addresses.resolve() == ANSWER
    await eventually(lambda: len(told) == 2)

    assert ["no such name", None] == told, "said once, also where the answer is empty"
    assert await addresses.resolve() == OTHER
    addresses.close()


def v4(number):
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"10.0.0.{number}", 80))


def v6(number):
    return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (f"fd00::{number}", 80, 0, 0))


@pytest.mark.parametrize(
    ("found", "pairs"),
    [
        pytest.param([v4(2), v4(1), v4(2)], [(v4(1),), (v4(2),)], id="each address once, sorted"),
        pytest.param([v6(1), v4(1)], [(v6(1), v4(1))], id="one of each family is one machine"),
        pytest.param([v4(1), v6(1)], [(v4(1), v6(1))], id="within it in the order of the answer"),
        pytest.param(
            [v4(2), v6(9), v4(1)], [(v6(9), v4(1)), (v4(2),)], id="as many as the larger family"
        ),
    ],
)
def test_addresses_of_two_families_belong_together(found, pairs):
    assert pairs == paired(found)


def test_most_addresses_are_bounded():
    found = [(socket.AF_INET, 1, 6, "", (f"10.0.{n // 250}.{n % 250}", 80)) for n in range(300)]

    assert module.MOST_ADDRESSES == len(paired(found))


async def test_a_failure_is_not_kept():
    addresses = Addresses("chat", 80, Dns(socket.gaierror("no such name"), ANSWER))
    with pytest.raises(socket.gaierror):
        await addresses.resolve()

    assert await addresses.resolve() == ANSWER


async def test_one_lookup_serves_all_and_outlives_who_leaves():
    dns = Dns(ANSWER)
    dns.answering.clear()
    addresses = Addresses("chat", 80, dns)
    first, second = (asyncio.ensure_future(addresses.resolve()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    dns.answering.set()

    assert await second == ANSWER
    assert len(dns.asked) == 1


async def test_a_failure_that_nobody_waits_for_is_no_noise(caplog):
    dns = Dns(socket.gaierror("no such name"))
    dns.answering.clear()
    addresses = Addresses("chat", 80, dns)
    waiting = asyncio.ensure_future(addresses.resolve())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    dns.answering.set()
    for _ in range(5):
        await asyncio.sleep(0)

    assert addresses._pending is None
    assert caplog.records == []


async def test_closing_ends_a_lookup():
    dns = Dns(ANSWER)
    dns.answering.clear()
    addresses = Addresses("chat", 80, dns)
    waiting = asyncio.ensure_future(addresses.resolve())
    await asyncio.sleep(0)
    addresses.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_system_knows_this_machine():
    assert "127.0.0.1" in [address[4][0] for address in await ask_system("localhost", 80)]


async def test_a_name_that_cannot_be_is_not_found():
    with pytest.raises(socket.gaierror):
        await ask_system("a..b", 80)


async def test_a_record_keeps_the_first_addresses_of_an_answer():
    many = [(*ANSWER[0][:4], (f"127.0.0.{n}", 80)) for n in range(1, 20)]
    addresses = Addresses("chat", 80, Dns(many))
    await addresses.resolve()

    assert addresses.resolved is not None
    assert [f"127.0.0.{n}" for n in range(1, MOST_TOLD + 1)] == list(addresses.resolved.addresses)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_of_an_address_no_answer_is_kept(host):
    addresses = Addresses(host, 80, Dns())
    await addresses.resolve()

    assert addresses.resolved is None
