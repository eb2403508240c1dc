"""When the DNS is asked."""

import asyncio
import socket

import pytest

from proxy.upstream import dns as module
from proxy.upstream.dns import Addresses, ask_system

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


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
        answer = self.answers.pop(0)
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


async def test_an_answer_gets_old(monkeypatch):
    monkeypatch.setattr(module, "RESOLVE_AGAIN", 0.0)
    dns = Dns(ANSWER, [])
    addresses = Addresses("chat", 80, dns)
    await addresses.resolve()

    assert await addresses.resolve() == []


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
