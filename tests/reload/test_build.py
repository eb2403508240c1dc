"""What is handed over and what begins anew; the table of docs/reload.md is the table of cases."""

import re
from pathlib import Path
from typing import Any

import pytest

from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.reload.build import Built
from proxy.resilience.opening import FailedAttempt
from proxy.settings.restart import AT_START
from proxy.settings.survival import lost_state
from tests.reload.conftest import SETTINGS, settings

PAGE = (Path(__file__).parents[2] / "docs" / "reload.md").read_text(encoding="utf-8")
STATES = ["circuit", "retry budget", "rate limit buckets", "places", "connections"]
ASKED = RequestHead("GET", "/", b"", (1, 1), (), {}, keep_alive=True, has_body=False, length=None)

CASES: dict[str, list[tuple[str, str]]] = {
    "of another route, of nothing": [("name: rest", "name: remains")],
    "`match`, `timeouts`, `stream`, `cors` and what is not named below": [
        ("gap: 7s", "gap: 8s"), ("/api/chat", "/chat"), ("policy: mine", "max_body: 1MiB"),
    ],
    "`retry` without its budget": [("retry: {", "retry: { attempts: 7,")],
    "`breaker`": [("cool_down: 30s", "cool_down: 31s")],
    "`breaker.critical`": [("cool_down: 30s", "cool_down: 30s, critical: false")],
    "`retry.budget`": [("capacity: 20", "capacity: 21")],
    "`rate_limit[].rate`, `by`, `keys`": [("rate: 10/1m", "rate: 11/1m")],
    "`rate_limit[].burst`, `name`, `dry_run`": [("burst: 20", "burst: 21, dry_run: true")],
    "`concurrency.limit`, `per_client`, `queue`, `wait`, `by`": [
        ("limit: 5", "limit: 6, queue: 2, wait: 2s"),
    ],
    "`concurrency` off": [("concurrency: { limit: 5 }", "concurrency: {}")],
    "the route's `upstream`": [("upstream: model", "upstream: other")],
    "the route's `name`": [("name: chat", "name: talk")],
    "any key of `upstreams.<name>`": [("http://127.0.0.1:9", "http://127.0.0.1:11")],
}  # fmt: skip
"""What stands in the first column, and such a change."""


def table() -> dict[str, dict[str, str]]:
    """The rows of the page by their first cell."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    head = next(n for n, line in enumerate(lines) if line.startswith("| change |"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[head + 2 :]]
    assert ["change", *STATES] == [cell.strip() for cell in lines[head].strip("|").split("|")]
    return {row[0]: dict(zip(STATES, row[1:], strict=True)) for row in rows}


def state_of(built: Built) -> dict[str, Any]:
    """The pieces of the route in front of the model, and that upstream."""
    route = built.routes[0]
    return {
        "circuit": route.breaker,
        "retry budget": route.budget,
        "rate limit buckets": route.rate_limits.limits[0].arrivals,
        "places": route.concurrency.places if route.concurrency else None,
        "connections": built.plan.upstreams["model"],
    }


def test_every_row_of_the_page_is_a_case() -> None:
    assert list(CASES) == list(table())


@pytest.mark.parametrize("change", CASES)
def test_what_survives_is_what_the_page_says(desk, change: str) -> None:
    desk.follow(settings())
    before, after = map(state_of, desk.follow(settings(*CASES[change])))

    assert table()[change] == {
        what: "kept" if after[what] is before[what] else "new" for what in STATES
    }


WORDS = {
    "circuit": "its circuit", "retry budget": "its retry budget",
    "rate limit buckets": "the buckets", "places": "the count", "connections": "idle connections",
}  # fmt: skip


@pytest.mark.parametrize("change", [one for one in CASES if "`name`" not in one])
def test_what_ends_is_what_is_told_before(change: str) -> None:
    """By `check --diff`, which builds nothing."""
    told = " ".join(
        sentence
        for sentence in lost_state(settings(), settings(*CASES[change]))
        if "rest" not in sentence.split()[0]
    )

    assert table()[change] == {what: "new" if WORDS[what] in told else "kept" for what in STATES}


def test_an_unchanged_route_is_the_same_object(desk) -> None:
    desk.follow(settings())
    before, after = desk.follow(settings(("name: rest", "name: remains")))

    assert after.routes[0] is before.routes[0]
    assert after.plan is not before.plan
    assert after.plan.pseudonym == before.plan.pseudonym


def test_a_building_that_fails_leaves_everything(desk) -> None:
    _, before = desk.follow(settings())
    places = before.routes[0].concurrency.places
    broken = settings(
        ("limit: 5", "limit: 9"),
        ("http://127.0.0.1:10", "https://127.0.0.1:10"),
        ('127.0.0.1:10"]', '127.0.0.1:10"], tls: { ca_file: /nowhere.pem }'),
    )

    with pytest.raises(OSError, match="No such file"):
        desk.builder.build(broken)
    assert desk.builder.current is before
    assert 5 == places.limit


def test_who_is_under_way_is_counted_under_the_new_limit(desk) -> None:
    _, before = desk.follow(settings())
    ticket = before.routes[0].concurrency.places.ask(1)
    _, after = desk.follow(settings(("limit: 5", "limit: 2, queue: 7, per_client: 2")))
    places = after.routes[0].concurrency.places

    assert (2, 2, 7, 1) == (places.limit, places.per_client, places.room, places.in_use)
    places.leave(ticket)
    assert 0 == places.in_use


def test_where_a_limit_goes_whoever_waits_comes_in(desk) -> None:
    _, before = desk.follow(settings())
    places = before.routes[0].concurrency.places
    tickets = [places.ask(n) for n in range(6)]
    assert "waiting" == tickets[-1].state
    desk.follow(settings(("concurrency: { limit: 5 }", "concurrency: {}")))

    assert {"granted"} == {ticket.state for ticket in tickets}


def test_a_limit_that_is_no_longer_dry_keeps_its_buckets_and_counts(desk) -> None:
    _, before = desk.follow(settings(("burst: 20", "burst: 20, dry_run: true")))
    x = Exchange(0.0, 0.0, "GET", "/", "192.0.2.1")
    for _ in range(21):
        before.routes[0].rate_limits.judge(ASKED, x, 100.0)
    _, after = desk.follow(settings())

    assert after.routes[0].rate_limits.judge(ASKED, x, 100.0).detail is not None
    assert [("chat", "allowed", 20), ("chat", "refused", 2)] == list(
        after.routes[0].rate_limits.counts()
    )


def test_limits_that_change_their_order_keep_their_buckets(desk) -> None:
    one, other = "{ rate: 10/1m, burst: 20 }", "{ rate: 5/1s, by: all }"
    _, before = desk.follow(settings((one, f"{one}, {other}")))
    _, after = desk.follow(settings((one, f"{other}, {one}")))

    assert [limit.arrivals for limit in reversed(before.routes[0].rate_limits.limits)] == [
        limit.arrivals for limit in after.routes[0].rate_limits.limits
    ]


def test_what_was_replaced_tells_nothing_any_more(desk) -> None:
    """Its exchanges are not over, and what they bring about is not the state of the new one."""
    _, before = desk.follow(settings())
    desk.follow(settings(("cool_down: 30s", "cool_down: 31s")))
    old = before.routes[0].breaker
    for n in range(5):
        old.settle(old.admit(1.0), "failure", 1.0, FailedAttempt(f"id-{n}", "x", None, "e", 1.0))

    assert "open" == old.state(1.0)
    assert [] == desk.changes


def test_the_circuit_in_force_tells(desk) -> None:
    _, built = desk.follow(settings())
    built.routes[0].breaker.open(1.0)

    assert ["open"] == [change.to for change in desk.changes]


def test_a_made_key_of_hashes_is_made_once(desk) -> None:
    """Else the same value would have another hash after each reload."""
    text = SETTINGS + "observe: { fields: { user: { header: X-User, hash: true } } }\n"
    asked = RequestHead(
        "GET", "/", b"", (1, 1), (), {b"x-user": b"u"},
        keep_alive=True, has_body=False, length=None,
    )  # fmt: skip
    _, before = desk.follow(settings(text=text))
    _, after = desk.follow(settings(("burst: 20", "burst: 21"), text=text))

    assert before.plan.fields(asked) == after.plan.fields(asked)
    assert 1 == len(desk.told)


def test_places_for_all_together_count_on(desk) -> None:
    _, before = desk.follow(settings(text=SETTINGS + "listen: { concurrency: 5 }\n"))
    before.plan.concurrency.ask(0)
    _, after = desk.follow(settings(text=SETTINGS + "listen: { concurrency: 4 }\n"))

    assert (4, 1) == (after.plan.concurrency.limit, after.plan.concurrency.in_use)
    assert desk.follow(settings())[1].plan.concurrency is None


def test_the_file_of_a_fallback_is_read_again(desk, tmp_path) -> None:
    """All else of the route is kept, whose keys are the same."""
    page = tmp_path / "busy.txt"
    page.write_text("one")
    spare = ("limit: 5 }", f"limit: 5 }}\n    fallback: {{ type: text/plain, file: {page} }}")
    desk.follow(settings(spare))
    before, same = desk.follow(settings(spare))
    page.write_text("two")
    _, after = desk.follow(settings(spare))

    assert same.routes[0] is before.routes[0]
    assert after.routes[0].fallback != before.routes[0].fallback
    assert after.routes[0].breaker is before.routes[0].breaker


def test_replaced_are_those_that_are_gone_or_new(desk) -> None:
    desk.follow(settings())
    before, after = desk.follow(settings(("http://127.0.0.1:9", "http://127.0.0.1:11")))

    assert [before.plan.upstreams["model"]] == after.replaced(before)


def test_the_page_names_what_needs_a_restart() -> None:
    section = PAGE.partition("## What needs a restart")[2].partition("\n##")[0]

    assert [".".join(path) for path in AT_START] == re.findall(r"`([a-z_.]+)`", section)[
        : len(AT_START)
    ]
