"""The endpoints as they are now: of several addresses, of changing ones, and their shares."""

import asyncio
import contextlib
import socket

import pytest

from proxy.upstream import dns
from proxy.upstream.chosen import MOST_KNOWN
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.rules import UpstreamRule
from tests.house.raw_client import eventually


def v4(host):
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80))


class Dns:
    """Answers each host with what stands under it; an exception is raised."""

    def __init__(self, **hosts):
        self.hosts = hosts

    async def __call__(self, host, port):
        answer = self.hosts[host]
        if isinstance(answer, Exception):
            raise answer
        return answer


def endpoints_of(*entries, lookup=None, **knobs):
    told = []
    rule = UpstreamRule(endpoints=entries, **knobs)
    made = Endpoints(rule, told.append, lookup or Dns())
    return made, told


async def look_up(endpoints, n=0):
    """As the first connect does, or the half-minute's turn."""
    addresses = endpoints._names[n].addresses
    with contextlib.suppress(socket.gaierror):
        await addresses._begin(asyncio.get_running_loop())
    await asyncio.sleep(0)


@pytest.fixture
def plain():
    return endpoints_of("http://10.0.0.1", "http://10.0.0.2")[0]


def test_the_only_one_is_the_sole_one_until_checks_call_it_sick():
    endpoints, _ = endpoints_of("http://10.0.0.1")
    assert endpoints.sole is endpoints.all[0]
    endpoints.all[0].health.healthy = False
    endpoints.refresh(0)

    assert endpoints.sole is None


def test_of_several_none_is_the_sole_one_not_even_the_last_in_use(plain):
    plain.all[0].ejection.eject(30, "why", 0)
    plain.refresh(0)

    assert plain.sole is None


async def test_each_address_of_a_name_is_an_endpoint():
    lookup = Dns(chat=[v4("10.0.0.2"), v4("10.0.0.1")])
    endpoints, _ = endpoints_of("http://chat", lookup=lookup)
    first = endpoints.sole
    await look_up(endpoints)

    assert [("http://chat", "10.0.0.1"), ("http://chat", "10.0.0.2")] == [
        (each.url, each.address) for each in endpoints.all
    ]
    assert endpoints.sole is None
    assert first is endpoints.all[0], "who waits for the name connects to one of them"
    assert ((v4("10.0.0.1"),), (v4("10.0.0.2"),)) == tuple(each.pair for each in endpoints.all)
    endpoints.close()


async def test_a_name_with_one_address_is_one_endpoint_whatever_that_is():
    lookup = Dns(chat=[v4("10.0.0.1")])
    endpoints, _ = endpoints_of("http://chat", lookup=lookup)
    first = endpoints.sole
    await look_up(endpoints)
    lookup.hosts["chat"] = [v4("10.0.0.2")]
    await look_up(endpoints)

    assert first is endpoints.sole
    assert (None, [v4("10.0.0.2")]) == (first.address, await first.reach())
    endpoints.close()


async def test_an_address_that_stays_keeps_what_is_known_of_it_and_one_that_leaves_is_dismissed():
    lookup = Dns(chat=[v4("10.0.0.1"), v4("10.0.0.2")])
    endpoints, _ = endpoints_of("http://chat", lookup=lookup)
    dismissed = []
    endpoints.dismiss = dismissed.append
    await look_up(endpoints)
    leaves, stays = endpoints.all
    stays.ejection.eject(30, "why", 0)
    lookup.hosts["chat"] = [v4("10.0.0.3"), v4("10.0.0.2")]
    await look_up(endpoints)

    assert stays is endpoints.all[0]
    assert "10.0.0.3" == endpoints.all[1].address
    assert [leaves] == dismissed
    assert (False, True) == (leaves.keeps_idle, endpoints.all[1].keeps_idle)
    endpoints.close()


async def test_a_new_address_starts_slowly_and_the_first_ones_do_not():
    lookup = Dns(chat=[v4("10.0.0.1"), v4("10.0.0.2")])
    endpoints, _ = endpoints_of("http://chat", lookup=lookup, slow_start="10s")
    await look_up(endpoints)
    assert [1.0, 1.0] == endpoints.weights
    lookup.hosts["chat"] = [*lookup.hosts["chat"], v4("10.0.0.3")]
    await look_up(endpoints)

    assert [1.0, 1.0, 0.1] == [round(weight, 1) for weight in endpoints.weights]
    endpoints.close()


async def test_a_failure_of_the_dns_is_told_once_and_the_last_answer_is_kept():
    lookup = Dns(chat=[v4("10.0.0.1"), v4("10.0.0.2")])
    endpoints, told = endpoints_of("http://chat", lookup=lookup)
    await look_up(endpoints)
    before, lookup.hosts["chat"] = lookup.hosts["chat"], socket.gaierror("no such name")
    for _ in range(3):
        await look_up(endpoints)
    assert 2 == len(endpoints.all)
    lookup.hosts["chat"] = before
    for _ in range(2):
        await look_up(endpoints)

    assert [
        ("dns_failed", "no such name; the last answer stays in use"),
        ("dns_found", "the name is found again"),
    ] == [(each.kind, each.reason) for each in told]
    endpoints.close()


async def test_a_name_is_looked_up_again_by_itself(monkeypatch):
    monkeypatch.setattr(dns, "RESOLVE_AGAIN", 0.001)
    lookup = Dns(chat=[v4("10.0.0.1")])
    endpoints, _ = endpoints_of("http://chat", lookup=lookup)
    await endpoints.all[0].reach()
    lookup.hosts["chat"] = [v4("10.0.0.1"), v4("10.0.0.2")]
    await eventually(lambda: len(endpoints.all) == 2)
    endpoints.close()


def shares(endpoints):
    return [endpoint.share for endpoint in endpoints.all]


def test_each_may_have_its_share_of_the_connections():
    weighted = ({"url": "http://10.0.0.1", "weight": 3}, "http://10.0.0.2")
    endpoints, _ = endpoints_of(*weighted, pool={"size": 10})

    assert [8, 3] == shares(endpoints)


def test_the_share_of_one_that_is_out_of_use_is_free_for_the_others():
    endpoints, _ = endpoints_of(*(f"http://10.0.0.{n}" for n in range(3)), pool={"size": 9})
    endpoints.all[0].ejection.eject(30, "why", 0)
    endpoints.refresh(0)

    assert [3, 5, 5] == shares(endpoints)


def test_an_upstream_smaller_than_the_number_of_its_endpoints_still_reaches_each():
    endpoints, _ = endpoints_of(*(f"http://10.0.0.{n}" for n in range(5)), pool={"size": 2})

    assert [1] * 5 == shares(endpoints)


def test_a_sole_one_may_have_all_connections():
    endpoints, _ = endpoints_of("http://10.0.0.1", pool={"size": 7})

    assert [7] == shares(endpoints)


def test_where_all_are_ejected_or_at_rest_all_are_used(plain):
    for endpoint in plain.all:
        endpoint.ejection.rest(5, "why", 0)
    plain.refresh(0)
    assert plain.all == plain.usable
    plain.all[0].ejection.eject(30, "why", 0)
    plain.all[1].health.healthy = False
    plain.refresh(0)

    assert [plain.all[0]] == plain.usable


def test_it_knows_when_something_changes_by_itself():
    urls = [f"http://10.0.0.{n}" for n in range(3)]
    endpoints, _ = endpoints_of(*urls, slow_start="10s")
    assert (float("inf"), float("inf")) == (endpoints.due, endpoints.probe_due)
    endpoints.all[0].ejection.rest(5, "why", 0)
    endpoints.all[1].ejection.eject(30, "why", 0)
    endpoints.refresh(0)
    assert (5, 30) == (endpoints.due, endpoints.probe_due)
    endpoints.warm_up(endpoints.all[2], 0)
    endpoints.refresh(0)

    assert 0.5 == endpoints.due


def test_a_story_is_told_of_a_few_endpoints_only():
    endpoints, _ = endpoints_of(*(f"http://10.0.0.{n}" for n in range(20)))
    endpoints.all[15].health.healthy = False
    endpoints.all[15].health.reason = "503"
    endpoints.refresh(0)
    known = [(each.endpoint, each.status, each.reason) for each in endpoints.known]

    assert MOST_KNOWN == len(known)
    assert ("http://10.0.0.15", "down", "503") == known[0]
    assert ("http://10.0.0.0", "usable", None) == known[1]
