"""What is drawn of a story."""

import pytest

from proxy.admin.timeline import MEANINGS, Bar, Lane, extent, lanes_of


def test_a_stream_that_fell_silent(stalled) -> None:
    assert [
        Lane("Attempt 1", (Bar("silence", 0.5, 9.5, "no head for 9.5 ms"),
                           Bar("pause", 10.0, 90.0, "pause 90 ms")), "reset"),
        Lane("Attempt 2", (Bar("connect", 100.0, 10.0, "connect 10 ms"),
                           Bar("wait", 110.0, 290.0, "head after 290 ms")), "200"),
        Lane("Answer", (Bar("wait", 400.0, 600.0, "first event 600 ms after the head"),
                        Bar("events", 1000.0, 1000.0, "148 events"),
                        Bar("gap", 1200.0, 700.0, "gap 700 ms"),
                        Bar("silence", 2000.0, 20000.0, "silence 20.0 s")), "stream_stalled"),
    ] == lanes_of(stalled)  # fmt: skip
    assert 22000.0 == extent(stalled)


def test_a_plain_answer_has_a_body(stalled) -> None:
    del stalled["stream"]

    assert Bar("body", 400.0, 21600.0, "15300 bytes in 21.6 s") == lanes_of(stalled)[-1].bars[0]


def test_an_attempt_that_took_no_time_stands_where_it_was(stalled) -> None:
    stalled["attempts"] = [{"at_ms": 100.0, "result": "connect_refused", "then": "stopped"}]
    del stalled["stream"]

    assert [Lane("Attempt 1", (Bar("connect", 100.0, 0.0, "at once"),), "connect_refused")] == (
        lanes_of(stalled)
    )


def test_a_stream_that_never_began_is_silent_from_its_head_on(stalled) -> None:
    stalled["stream"] = {"head_ms": 400.0, "last_byte_ms": 400.0, "events": 0}

    silence = Bar("silence", 400.0, 21600.0, "no event for 21.6 s")
    assert [silence] == list(lanes_of(stalled)[-1].bars)


def test_a_stream_that_was_not_seen_into_says_so(stalled) -> None:
    stalled["stream"] = {"head_ms": 400.0, "raw": True}

    assert "passed on unseen" == lanes_of(stalled)[-1].bars[0].words


@pytest.mark.parametrize("story", [{}, {"attempts": []}, {"attempts": "?", "stream": 5}])
def test_where_nothing_was_waited_for_nothing_is_drawn(story) -> None:
    assert [] == lanes_of(story)
    assert extent(story) > 0


def test_a_body_that_was_passed_on_as_it_came_is_drawn_before_the_wait(stalled) -> None:
    stalled["attempts"] = [
        {"at_ms": 1.0, "connect_ms": 9.0, "upload_ms": 500.0, "head_ms": 20.0, "status": 200}
    ]
    bars = lanes_of(stalled)[0].bars

    assert [
        Bar("connect", 1.0, 9.0, "connect 9.0 ms"),
        Bar("upload", 10.0, 500.0, "upload 500 ms"),
        Bar("wait", 510.0, 20.0, "head after 20 ms"),
    ] == list(bars)


def test_every_kind_has_a_meaning(stalled) -> None:
    kinds = {bar.kind for lane in lanes_of(stalled) for bar in lane.bars}

    assert kinds <= set(MEANINGS)


def test_a_body_that_stopped_is_silent_from_its_last_byte_on() -> None:
    story = {
        "attempts": [{"at_ms": 0.0, "head_ms": 10.0, "status": 200}], "duration_ms": 1000.0,
        "bytes_out": 4, "body": {"last_byte_ms": 20.0},
    }  # fmt: skip

    assert list(lanes_of(story)[-1].bars) == [
        Bar("body", 10.0, 10.0, "4 bytes in 10 ms"), Bar("silence", 20.0, 980.0, "silence 980 ms"),
    ]  # fmt: skip
