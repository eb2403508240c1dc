"""Comparing is a plain recount: shares by value, and what separates them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.diagnostics.neighbours.compare import (
    LEAST,
    MOST_TOLD,
    SAMPLES,
    find,
    measure,
    nearest_good,
    wilson,
)
from proxy.diagnostics.neighbours.ring import SPAN
from proxy.diagnostics.neighbours.rows import RowMaker
from proxy.diagnostics.neighbours.window import SLOW, RouteWindow, Slowness, item_of
from proxy.exchange import Exchange
from proxy.outcome import OUTCOMES
from tests import records
from tests.diagnostics.neighbours.conftest import A, B

FAILED = {"code": "head_timeout", "status": None}


def fields_of(found):
    return [dict(each.values) for each in found]


def traffic(happen, good, bad, **unusual):
    """Good ones at both endpoints by five users; then bad ones, which are `unusual`."""
    happened = [
        happen(100 + n / 10, endpoint=(A, B)[n % 2], user=f"u{n % 5}", path=f"/api/{n}")
        for n in range(good)
    ]
    for n in range(bad):
        had = {"endpoint": (A, B)[n % 2], "user": f"u{n % 5}", "path": f"/api/{900 + n}"}
        happened.append(happen(150 + n / 10, **(had | FAILED | unusual)))
    return happened


@pytest.mark.parametrize(
    ("unusual", "found"),
    [
        pytest.param({"endpoint": B}, {"endpoint": B}, id="one endpoint"),
        pytest.param({"user": "u9"}, {"user_id": "u9"}, id="one user"),
        pytest.param({"agent": "bot/2"}, {"agent": "bot/2"}, id="one agent"),
        pytest.param({"agent": ""}, {"agent": None}, id="those without an agent"),
        pytest.param({"path": "/api/c-7781"}, {"path": "/api/c-7781"}, id="one item"),
        pytest.param({"status": 200, "streamed": True, "code": "stream_stalled"},
                     {"stream": "stream"}, id="only streams"),
    ],
)  # fmt: skip
def test_what_they_have_in_common_is_found_first(happen, window_of, unusual, found) -> None:
    window, row = window_of(traffic(happen, 30, 6, **unusual))

    assert fields_of(find(window, row.kind))[0] == found


def test_what_separates_nothing_is_not_found(happen, window_of) -> None:
    window, row = window_of(traffic(happen, 30, 6))

    assert find(window, row.kind) == []


def test_fewer_than_three_are_too_few(happen, window_of) -> None:
    window, row = window_of(traffic(happen, 30, LEAST - 1, user="u9"))

    assert find(window, row.kind) == []


def test_a_rare_value_does_not_win_by_chance(happen, window_of) -> None:
    """Three of three are all of a user's, but the endpoint has them all."""
    bad = traffic(happen, 0, 12, endpoint=B)
    for x in bad[:3]:
        x.fields = {"user_id": "rare"}
    window, row = window_of(traffic(happen, 60, 0) + bad)

    assert fields_of(find(window, row.kind))[0] == {"endpoint": B}


def test_a_pair_is_told_only_where_no_single_field_separates(happen, window_of) -> None:
    both = traffic(happen, 0, 8, endpoint=B, reused=False)
    both.insert(4, happen(150.35, endpoint=B))
    good = traffic(happen, 40, 0)
    for n, x in enumerate(good):
        x.attempts[0].reused = n % 4 < 2  # at either endpoint both kinds of connections
    window, row = window_of(good + both)
    window_of_one, last = window_of(traffic(happen, 40, 8, endpoint=B, user="u9"))

    assert fields_of(find(window, row.kind))[0] == {"endpoint": B, "connection": "new"}
    assert all(len(each.values) == 1 for each in find(window_of_one, last.kind))


def test_no_more_than_three_are_told_with_two_of_each_side(happen, window_of) -> None:
    unusual = {"endpoint": B, "user": "u9", "agent": "bot/2", "path": "/api/c-1", "reused": False}
    happened = traffic(happen, 30, 6, **unusual)
    window, row = window_of(happened)
    found = find(window, row.kind)

    assert len(found) == MOST_TOLD
    for each in found:
        assert each.bad == tuple(x.request_id for x in happened[: -SAMPLES - 1 : -1])
        assert len(each.good) == SAMPLES
        assert set(each.good) <= {x.request_id for x in happened[:30]}


def test_where_it_did_not_come_so_far_nothing_follows_from_that(happen, window_of) -> None:
    """A request that was refused has no endpoint: that is an effect of the refusal."""
    window, row = window_of(traffic(happen, 30, 6, attempts=[], code="circuit_open"))

    assert not {"endpoint", "connection", "stream"} & {
        name for each in find(window, row.kind) for name, _ in each.values
    }


def test_slow_ones_are_compared_as_well(happen, window_of) -> None:
    slow = traffic(happen, 0, 5, user="u9", code="completed", status=200, took=2.0)
    window, _ = window_of(traffic(happen, 30, 0) + slow, Slowness(whole=1.0))

    assert fields_of(find(window, SLOW))[0] == {"user_id": "u9"}


def test_the_nearest_good_one_has_most_in_common(happen, window_of) -> None:
    happened = traffic(happen, 30, 1, user="u3", path="/api/13")
    window, _ = window_of(happened)

    assert nearest_good(window) == happened[13].request_id


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("/api/conversations/c-7781/messages", "c-7781"),
        ("/api/3f2b8c1e-aaaa-bbbb-cccc-000000000000", "3f2b8c1e-aaaa-bbbb-cccc-000000000000"),
        ("/api/conversations", None),
        (None, None),
    ],
)
def test_the_item_is_what_looks_like_a_name_of_one_thing(path, item) -> None:
    assert item_of(path) == item


def test_an_interval_holds_the_share_and_narrows_with_the_number() -> None:
    for n, total in ((0, 3), (3, 3), (5, 9), (0, 80), (50, 100)):
        low, high = wilson(n, total)
        assert 0 <= low <= n / total <= high <= 1 + 1e-9
    assert wilson(30, 30)[0] > wilson(3, 3)[0]


def test_the_measures_of_the_example() -> None:
    difference, gap = measure(6, 6, 6, 86)

    assert difference == 1.0
    assert gap == pytest.approx(0.757 - 0.024, abs=0.001)


ROWS = st.lists(
    st.tuples(
        st.floats(0, 90), st.sampled_from(["/a", "/b/1", "/c/2"]), st.sampled_from([A, B]),
        st.sampled_from(["u1", "u2", ""]), st.sampled_from(["completed", "head_timeout"]),
    ),
    min_size=1, max_size=60,
)  # fmt: skip


def plain(n: int, at: float, path: str, endpoint: str, user: str, code: str) -> Exchange:
    x = Exchange(at, at, "GET", path, "192.0.2.1")
    x.route, x.upstream, x.request_id, x.ended = "chat", "model", f"id-{n}", at
    x.attempts = [records.attempt(endpoint, at, status=200)]
    x.fields = {"user_id": user} if user else {}
    x.outcome = OUTCOMES[code]
    return x


@given(ROWS)
def test_counts_are_those_of_a_plain_recount(given_rows) -> None:
    """Also after the window has moved on: what left it is not counted any more."""
    maker = RowMaker(("user_id",))
    happened = [plain(n, *row) for n, row in enumerate(sorted(given_rows))]
    window = RouteWindow("chat", maker.fields, Slowness())
    for x in happened:
        window.add(maker.row(x))
        window.expire(x.ended)
    last = happened[-1]
    near = [x for x in happened if x.ended >= last.ended - SPAN]
    kind = "" if last.outcome is OUTCOMES["completed"] else "head_timeout"

    assert window.kinds == Counter(
        "" if x.outcome is OUTCOMES["completed"] else "head_timeout" for x in near
    )
    for name, value_of in (
        ("path", lambda x: x.target),
        ("endpoint", lambda x: x.attempts[0].endpoint),
        ("user_id", lambda x: x.fields.get("user_id")),
    ):
        place = window.fields.index(name)
        alike = [x for x in near if kind and x.outcome is last.outcome]
        assert window.totals[place] == Counter(map(value_of, near))
        if kind:
            assert window.alike[kind][place] == Counter(map(value_of, alike))
    for found in find(window, kind) if kind else ():
        have = [x for x in near if _has(x, found.values)]
        assert (found.alike, found.all) == (sum(x.outcome is last.outcome for x in have), len(have))
        assert found.rest_all == len(near) - len(have)
    if kind:
        first, before = window.first_of(kind)
        assert first == min(x.ended for x in near if x.outcome is last.outcome)
        assert before == next(n for n, x in enumerate(near) if x.outcome is last.outcome)


def _has(x: Exchange, values: tuple[tuple[str, str | None], ...]) -> bool:
    had = {
        "path": x.target, "endpoint": x.attempts[0].endpoint, "item": item_of(x.target),
        "user_id": x.fields.get("user_id"),
    }  # fmt: skip
    return all(had[name] == value for name, value in values)
