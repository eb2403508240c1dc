"""All limits must give leave; who is refused is told what for, and is not charged."""

import pytest

from proxy.http.request_head import read_request
from proxy.limits.build import rate_limits
from proxy.limits.keys import ClientKeys
from proxy.limits.rules import RateRule
from tests.records import exchange

KEYS = ClientKeys(b"k" * 32)
ASKED = read_request("GET", "/", (1, 1), ((b"Host", b"a"),), should_close=False)


def limits(*rules: dict[str, object]):
    made = rate_limits("chat", [RateRule(**rule) for rule in rules], KEYS)
    assert made is not None
    return made


def ask(limits, now: float = 0.0, ip: str = "192.0.2.1"):
    return limits.judge(ASKED, exchange(client_ip=ip), now)


def test_a_route_without_limits_has_none():
    assert rate_limits("chat", (), KEYS) is None


def test_the_burst_is_let_in_and_then_the_rate():
    chat = limits({"rate": "10/1m", "burst": 2})

    assert [0.0, 0.0, 6.0] == [ask(chat).wait for _ in range(3)]
    assert [0.0, 6.0] == [ask(chat, 6.0).wait for _ in range(2)]


def test_without_a_burst_as_many_as_the_rate_names_are_let_in_at_once():
    chat = limits({"rate": "3/1m"})

    assert [0.0, 0.0, 0.0, 20.0] == [ask(chat).wait for _ in range(4)]


def test_clients_do_not_pay_for_each_other_but_under_a_limit_for_all():
    chat = limits({"rate": "1/1m"})
    everybody = limits({"rate": "1/1m", "by": "all"})

    assert [0.0, 0.0] == [ask(chat, ip=ip).wait for ip in ("192.0.2.1", "192.0.2.2")]
    assert [0.0, 60.0] == [ask(everybody, ip=ip).wait for ip in ("192.0.2.1", "192.0.2.2")]


def test_who_is_refused_by_one_is_not_charged_by_another():
    chat = limits({"rate": "1/10s"}, {"rate": "5/1h", "by": "all"})
    for _ in range(20):
        ask(chat)

    assert [0.0] * 4 == [ask(chat, ip=f"192.0.2.{n}").wait for n in range(2, 6)]
    assert ask(chat, ip="192.0.2.6").wait == 720.0


def test_the_longest_wait_is_told():
    chat = limits({"rate": "1/10s"}, {"rate": "1/1m"})
    ask(chat)
    verdict = ask(chat)

    assert 60.0 == verdict.wait
    assert "rate_limit chat-2: no leave for 60.0 s (1/1m, burst 1, by address 192.0.2.1)" == (
        verdict.detail
    )


def test_clients_are_told_their_limits():
    chat = limits({"rate": "10/1m", "burst": 5}, {"rate": "100/1h", "name": "hourly"})
    first, *_, last = [ask(chat).fields.decode().split("\r\n") for _ in range(6)]

    assert [
        'RateLimit-Policy: "chat";q=10;w=60, "hourly";q=100;w=3600',
        'RateLimit: "chat";r=4;t=6, "hourly";r=99;t=36',
        "",
    ] == first
    assert [first[0], 'RateLimit: "chat";r=0;t=30', ""] == last


def test_a_dry_run_refuses_nobody_and_tells_no_client():
    chat = limits({"rate": "1/1m", "dry_run": True})
    first, second = ask(chat), ask(chat)

    assert (0.0, None, None, b"") == (first.wait, first.detail, first.would_refuse, first.fields)
    assert (0.0, None, b"") == (second.wait, second.detail, second.fields)
    assert second.would_refuse == (
        "rate_limit chat: no leave for 60.0 s (1/1m, burst 1, by address 192.0.2.1)"
    )


@pytest.mark.parametrize(
    ("dry_run", "counts"),
    [
        (False, [("chat", "allowed", 1), ("chat", "refused", 2)]),
        (True, [("chat", "allowed", 1), ("chat", "would_refuse", 2)]),
    ],
)
def test_decisions_are_counted(dry_run, counts):
    chat = limits({"rate": "1/1m", "dry_run": dry_run})
    for _ in range(3):
        ask(chat)

    assert counts == list(chat.counts())


def test_another_limit_may_go_on_with_the_buckets_of_one_before():
    before = limits({"rate": "10/1m", "burst": 2}, {"rate": "1/1s"})
    assert [0.0, 1.0] == [ask(before).wait for _ in range(2)]
    after = rate_limits("chat", [RateRule(rate="10/1m", burst=1)], KEYS, before.limits[:1])
    assert after is not None
    after.limits[0].follow(before.limits[0])

    assert 6.0 == ask(after).wait
    assert [("chat", "allowed", 1), ("chat", "refused", 1)] == list(after.counts())
