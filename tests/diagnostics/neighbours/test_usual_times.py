"""What was measured of an exchange stands beside what is usual on its route."""

import pytest

from proxy.diagnostics.neighbours.usual_times import COUNTED_ALL, UsualTimes, measured


def usual_of(happened):
    usual = UsualTimes()
    for x in happened:
        usual.offer([x])
    usual.settle()
    return usual


def test_a_measure_stands_beside_the_usual_one(happen) -> None:
    usual = usual_of(happen(100.0 + n, took=0.3) for n in range(30))
    told = usual.of(happen(140.0, took=1.4, code="head_timeout", status=None))

    assert told["head"] == {
        "measured_ms": 1400.0,
        "p50_ms": pytest.approx(300, rel=0.06),
        "p95_ms": pytest.approx(300, rel=0.06),
        "missing": True,
    }
    assert "size" not in told  # what it was sent was ours


def test_of_very_many_in_a_second_one_of_each_batch_is_counted(happen) -> None:
    usual = UsualTimes()
    batch = [happen(100.5, took=0.3) for _ in range(COUNTED_ALL // 5)]
    for _ in range(5 + 7):
        usual.offer(batch)
    usual.offer([happen(101.2, took=0.3) for _ in range(3)])
    usual.settle()
    counted = usual.saved()["chat"]["duration"].values()

    assert COUNTED_ALL + 7 + 3 == sum(sum(each.values()) for each in counted)


def test_only_what_was_completed_is_usual(happen) -> None:
    usual = usual_of(happen(100.0 + n, code="head_timeout", status=None) for n in range(30))

    assert usual.of(happen(140.0)) == {}


def test_a_silence_at_the_end_is_a_gap_of_one_that_broke(happen) -> None:
    x = happen(110.0, took=10.0, code="stream_stalled", streamed=True, first_event=0.1)
    x.max_gap, x.last_byte = 0.5, 2.0

    assert measured(x)["gap"] == pytest.approx(8.0)


def test_plain_answers_and_streams_are_slow_by_themselves(happen) -> None:
    plain = [happen(100.0 + n, took=0.1) for n in range(30)]
    streams = [happen(100.0 + n, took=20.0, streamed=True, first_event=0.5) for n in range(30)]
    slowness = usual_of([*plain, *streams]).slowness("chat", 1e9 + 130)

    assert slowness.of(streamed=False) == pytest.approx(0.1, rel=0.06)
    assert slowness.of(streamed=True) == pytest.approx(0.5, rel=0.06)


def test_a_restart_keeps_what_is_usual(happen) -> None:
    before = usual_of(happen(100.0 + n, took=0.3) for n in range(30))
    after = UsualTimes()
    after.restore(before.saved())

    assert after.of(happen(140.0)) == before.of(happen(140.0))


def test_an_unknown_route_has_nothing_usual(happen) -> None:
    assert UsualTimes().of(happen(1.0)) == {}
    assert UsualTimes().slowness("chat", 0.0).of(streamed=True) is None
