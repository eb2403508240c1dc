"""The desk finds out what happened around an exchange: once, off the loop, in bounded memory."""

import orjson
import pytest

from proxy import clock
from proxy.diagnostics.neighbours.desk import MOST_BYTES, MOST_WAITING, Desk
from proxy.diagnostics.neighbours.ring import ROOM
from proxy.diagnostics.neighbours.second import EACH, EACH_ROUTE, PAIRS
from tests.diagnostics.neighbours.conftest import B
from tests.diagnostics.neighbours.test_compare import FAILED, traffic


@pytest.fixture
def desk() -> Desk:
    return Desk(("user_id",), lambda x: x.duration > 5)


def around(x):
    return orjson.loads(x.around)


def test_a_bad_one_is_looked_at_when_its_turn_comes(happen, desk) -> None:
    happened = traffic(happen, 40, 6, endpoint=B)
    desk.add(happened, {})
    assert happened[-1].around is None
    desk.settle()

    assert around(happened[-1])["neighbours"]["findings"][0]["fields"] == {"endpoint": B}
    assert happened[0].around is None  # a good one costs nothing until somebody asks


def test_each_is_compared_with_what_had_ended_by_then(happen, desk) -> None:
    """Whether they are looked at one by one or all together."""
    happened = traffic(happen, 40, 6, endpoint=B)
    desk.add(happened, {})
    desk.settle()
    one_by_one = Desk(("user_id",), lambda _: False)
    again = traffic(happen, 40, 6, endpoint=B)
    for x in again:
        one_by_one.add([x], {})
        one_by_one.settle()

    for x, y in zip(happened[40:], again[40:], strict=True):
        counts = [(around(each)["neighbours"]["alike"], around(each)["neighbours"]["all"])
                  for each in (x, y)]  # fmt: skip
        assert counts[0] == counts[1]
    assert [around(x)["neighbours"]["alike"] for x in happened[40:]] == [1, 2, 3, 4, 5, 6]


def test_other_fields_of_the_team_are_compared_from_the_next_one_on(happen) -> None:
    """Those before it had others, and cannot be counted with it: so the counts are a part."""
    desk = Desk((), lambda _: False)
    before = traffic(happen, 40, 6, user="u9")
    desk.add(before, {})
    desk.settle()
    desk.take(("user_id",))
    after = traffic(happen, 40, 6, user="u9")
    desk.add(after, {})
    desk.settle()
    found = [around(each[-1])["neighbours"] for each in (before, after)]

    assert [] == found[0]["findings"]
    assert {"user_id": "u9"} == found[1]["findings"][0]["fields"]
    assert [46, 46] == [each["all"] for each in found]
    assert [False, True] == [each["at_least"] for each in found]


def test_the_window_is_the_minute_before_its_end(happen, desk) -> None:
    old = [happen(10.0 + n / 100) for n in range(20)]
    happened = traffic(happen, 40, 4, endpoint=B)
    desk.add([*old, *happened], {})
    desk.settle()

    assert around(happened[-1])["neighbours"]["all"] == 44


def test_one_that_is_asked_for_late_is_told_the_same(happen, desk) -> None:
    """A slow one that is no failure is looked at when somebody asks."""
    fast = [happen(100.0 + n / 10, user=f"u{n % 5}") for n in range(60)]
    slow = [happen(110.0 + n, took=2.0, user="u9") for n in range(4)]
    desk.add([*fast, *slow], {})
    desk.settle()
    x = slow[-1]
    assert x.around is None
    desk.complete(x)
    told = around(x)["neighbours"]

    assert told["kind"] == "slow"
    assert told["findings"][0]["fields"] == {"user_id": "u9"}
    assert (told["alike"], told["all"]) == (4, 64)


def test_a_good_one_that_is_asked_for_is_told_what_is_usual(happen, desk) -> None:
    happened = [happen(100.0 + n / 10) for n in range(40)]
    desk.add(happened, {})
    desk.complete(happened[-1])

    assert set(around(happened[-1])) == {"usual"}


def test_beyond_the_room_counts_are_at_least(happen, desk) -> None:
    many = [happen(100.0 + n / 1000, user=f"u{n % 7}") for n in range(ROOM)]
    bad = traffic(happen, 0, 4, user="u9")
    for start in range(0, len(many), 512):
        desk.add(many[start : start + 512], {})
        desk.settle()
    desk.add(bad, {})
    desk.settle()
    told = around(bad[-1])["neighbours"]

    assert told["at_least"] is True
    assert told["words"][0].startswith("at least 4 of ")


def test_what_waits_is_bounded_and_what_was_lost_is_remembered(happen, desk) -> None:
    batch = [happen(100.0) for _ in range(64)]
    for _ in range(2 * MOST_WAITING // 64):
        desk.add(batch, {})
    bad = traffic(happen, 0, 3)
    desk.add(bad, {})
    desk.settle()

    assert around(bad[-1])["neighbours"]["at_least"] is True


def test_without_trouble_nothing_is_done_and_with_it_all_are_counted(happen, desk) -> None:
    happened = traffic(happen, 40, 1, endpoint=B)
    desk.add(happened[:40], {}, troubled=False)
    desk.settle()
    assert [] == list(desk._ring.newest_first())
    desk.add(happened[40:], {})
    desk.settle()

    assert 41 == around(happened[-1])["neighbours"]["all"]


def test_where_the_trouble_is_over_nothing_is_done_any_more(happen, desk) -> None:
    """Times of the fixture are long ago, so that its windows are too."""
    desk.add(traffic(happen, 0, 4), {})
    desk.settle()
    desk.add([happen(150.0)], {}, troubled=False)
    desk.settle()

    assert 4 == len(list(desk._ring.newest_first()))


def test_what_takes_too_much_is_made_small_without_trouble_as_well(happen, desk) -> None:
    desk.add([happen(100.0)], {}, MOST_BYTES + 1, troubled=False)
    desk.settle()
    assert 1 == len(list(desk._ring.newest_first()))
    desk.add([happen(101.0)], {}, MOST_BYTES, troubled=False)
    desk.settle()

    assert 1 == len(list(desk._ring.newest_first()))


def test_what_gave_way_takes_nothing_any_more(happen, desk) -> None:
    """However much passes: what waits is what counts."""
    batch = [happen(100.0) for _ in range(64)]
    for _ in range(4 * MOST_WAITING // 64):
        desk.add(batch, {}, MOST_BYTES * 64 // MOST_WAITING, troubled=False)
    desk.settle()

    assert [] == list(desk._ring.newest_first())


def test_who_held_the_places_is_kept_with_it(happen, desk) -> None:
    x = happen(100.0, code="pool_timeout", status=None, attempts=[])
    desk.add([x], {id(x): {"by": "pool", "words": ["pool: size 2"]}})
    desk.settle()

    assert around(x)["culprits"]["places"]["words"] == ["pool: size 2"]


def in_one_second(happen, times, **unusual):
    """So many at endpoint B within a second, with good ones on reused connections between."""
    bad, good = [], []
    for n in range(times):
        named = {"endpoint": B, "path": f"/api/{n}", "user": f"u{n % 5}"}
        good.append(happen(150 + n / 1000, **named))
        bad.append(happen(150.0005 + n / 1000, **named, **FAILED, **unusual))
    return bad, sorted([*good, *bad], key=lambda x: x.ended)


def test_pairs_are_looked_for_a_bounded_number_of_times_in_a_second(happen, desk) -> None:
    before = traffic(happen, 40, 0)
    for n, x in enumerate(before):
        x.attempts[0].reused = n % 4 < 2  # at either endpoint both kinds of connections
    bad, happened = in_one_second(happen, PAIRS + 5, reused=False)
    desk.add([*before, *happened], {})
    desk.settle()
    found = [around(x)["neighbours"]["findings"] for x in bad]
    is_pair = [bool(each) and len(each[0]["fields"]) == 2 for each in found]

    assert is_pair[PAIRS - 1]
    assert not any(is_pair[PAIRS:])
    said = [any("not in pairs" in line for line in around(x)["neighbours"]["words"]) for x in bad]
    assert said == [False] * PAIRS + [True] * 5


def test_of_very_many_in_a_second_not_each_is_compared_and_that_is_said(happen, desk) -> None:
    """Each names one of its like that was; whoever asks for one of them has it compared."""
    bad, happened = in_one_second(happen, EACH + 5)
    desk.add([*traffic(happen, 40, 0), *happened], {})
    desk.settle()
    last = bad[-1]
    told = around(last)["neighbours"]

    assert told["see"] == bad[EACH - 1].request_id
    assert "not each was compared" in told["words"][0]
    assert told["words"][1:] == around(bad[EACH - 1])["neighbours"]["words"]
    assert "likely" not in told, "it was found of another one"
    desk.finish(last)
    assert around(last)["neighbours"] == told
    desk.complete(last)
    assert around(last)["neighbours"]["alike"] == EACH + 5


def test_who_held_the_places_is_not_lost_when_one_of_very_many_is_asked_for(happen, desk) -> None:
    bad, happened = in_one_second(happen, EACH + 1)
    held = {"by": "pool", "words": ["pool: size 2"]}
    desk.add(happened, {id(bad[-1]): held})
    desk.settle()
    desk.complete(bad[-1])

    assert "see" not in around(bad[-1])["neighbours"]
    assert around(bad[-1])["culprits"]["places"] == held


def test_one_of_very_many_that_is_asked_for_too_late_still_names_one_of_its_like(
    happen, desk
) -> None:
    bad, happened = in_one_second(happen, EACH + 1)
    desk.add(happened, {})
    desk.settle()
    desk.add([happen(160.0) for _ in range(ROOM)], {})
    desk.complete(bad[-1])

    assert around(bad[-1])["neighbours"]["see"] == bad[EACH - 1].request_id


def test_of_very_many_routes_in_trouble_not_each_is_compared(happen, desk) -> None:
    """Nor counted: one of another route that ended alike stands for it, and is named."""
    bad = [happen(150 + n / 1000, **FAILED) for n in range(EACH_ROUTE + 5)]
    for n, x in enumerate(bad):
        x.route = f"r{n}"
    desk.add(bad, {})
    desk.settle()
    told = [around(x)["neighbours"] for x in bad]

    assert ["see" in each for each in told] == [False] * EACH_ROUTE + [True] * 5
    last = f"r{EACH_ROUTE - 1}"
    assert f"which ended alike on the route {last}, it was found:" in told[-1]["words"][0]
    desk.complete(bad[-1])
    assert around(bad[-1])["neighbours"]["words"][0].startswith(
        f"1 of 1 on the route {bad[-1].route}"
    )


def test_one_of_another_kind_is_compared_however_many_there_were(happen, desk) -> None:
    bad, happened = in_one_second(happen, EACH_ROUTE + 1)
    other = happen(150.9, code="upstream_reset", status=None)
    desk.add([*happened, other], {})
    desk.settle()

    assert "see" not in around(other)["neighbours"]
    assert "see" in around(bad[-1])["neighbours"]


def test_none_of_another_second_stands_for_one(happen, desk) -> None:
    before = happen(149.5, code="upstream_reset", status=None)
    _, happened = in_one_second(happen, EACH)
    other = happen(150.9, code="upstream_reset", status=None)
    desk.add([before, *happened, other], {})
    desk.settle()

    assert "see" not in around(other)["neighbours"]


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        (("api",), "the route api of the same upstream: 4 of 5 ended as head_timeout"),
        (("",), "the route none of the same upstream: 4 of 5 ended as head_timeout"),
        (("api", "files"), "2 other routes of the same upstream: 4 of 5 ended as head_timeout"),
    ],
)
def test_other_routes_of_the_upstream_are_told_where_they_fare_the_same(
    happen, desk, routes, words
) -> None:
    elsewhere = [happen(149.0 + n / 10, **(FAILED if n < 4 else {})) for n in range(5)]
    for n, x in enumerate(elsewhere):
        x.route = routes[n % len(routes)]
    of_another = happen(149.5, **FAILED)
    of_another.route, of_another.upstream = "files", "storage"
    happened = traffic(happen, 30, 6)
    desk.add([*happened[:30], *elsewhere, of_another, *happened[30:]], {})
    desk.settle()

    assert around(happened[-1])["neighbours"]["words"][-1] == words


def test_of_a_refusal_before_any_upstream_no_other_routes_are_told(happen, desk) -> None:
    happened = [happen(150.0 + n / 10, **FAILED) for n in range(8)]
    for n, x in enumerate(happened):
        x.upstream, x.route = "", f"r{n % 2}"
    desk.add(happened, {})
    desk.settle()

    assert not any("other routes" in each or "the route r0" in each
                   for each in around(happened[-1])["neighbours"]["words"][1:])  # fmt: skip


def test_after_trouble_good_ones_wait_for_the_next(happen, desk) -> None:
    """And are counted with it; what is published of the route has them at once."""
    now = clock.now()
    desk.add([happen(now, **FAILED)], {})
    desk.settle()
    desk.add([happen(now + 1 + n / 10) for n in range(5)], {}, troubled=False)
    desk.settle()
    assert 1 == len(list(desk._ring.newest_first()))
    assert 6 == len(desk.recent(()).rows)
    last = happen(now + 2, **FAILED)
    desk.add([last], {})
    desk.settle()

    assert (2, 7) == tuple(around(last)["neighbours"][name] for name in ("alike", "all"))


def test_counts_are_those_of_the_rows_that_are_kept(happen) -> None:
    """A window does not outgrow the ring, however many come after one bad one."""
    desk, now = Desk((), lambda _: False), clock.now()
    desk.add([happen(now, **FAILED)], {})
    desk.settle()
    for start in range(0, ROOM + 512, 64):
        batch = [happen(now + (start + n) / 1000) for n in range(64)]
        desk.add(batch, {}, troubled=True)
        desk.settle()
    last = happen(now + 9.5, **FAILED)
    desk.add([last], {})
    desk.settle()

    told = around(last)["neighbours"]
    assert (1, ROOM, True) == tuple(told[name] for name in ("alike", "all", "at_least"))


def test_what_is_usual_is_saved_once_a_minute_and_when_it_is_asked_for(happen, desk) -> None:
    desk.add([happen(100.0)], {})
    desk.settle()
    assert desk.usual_to_save() is None
    desk.save_usual()
    saved = desk.usual_to_save()
    assert saved is not None
    again = Desk((), lambda _: False)
    again.restore_usual(saved)
    again.save_usual()

    assert again.usual_to_save() == saved
    assert desk.usual_to_save() is None


def test_rows_are_given_of_routes_in_trouble_and_of_others_that_are_named(happen) -> None:
    desk, now = Desk((), lambda _: False), clock.now()
    good = [happen(now - 2 + n / 10) for n in range(3)]
    elsewhere = [happen(now - 1 + n / 10) for n in range(2)]
    for x in elsewhere:
        x.route = "other"
    desk.add(good + elsewhere, {})
    assert ((), frozenset()) == (tuple(desk.recent(()).rows), desk.recent(()).troubled)
    asked = desk.recent(["other"])
    desk.add([happen(now - 90, **FAILED), happen(now - 0.5, **FAILED)], {})
    troubled = desk.recent(())

    assert 2 == len(asked.rows)
    assert {"chat"} == set(troubled.troubled)
    assert {x.request_id for x in good} <= {row.request_id for row in troubled.rows}
    assert desk.recent(()).fields == troubled.fields


def test_trouble_that_is_over_is_none(happen) -> None:
    desk = Desk((), lambda _: False)
    desk.add([happen(clock.now() - 61, **FAILED)], {})

    assert not desk.recent(()).troubled
