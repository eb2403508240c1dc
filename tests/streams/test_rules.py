"""The knobs of a stream: what holds without a word, and what is refused."""

import pytest
from pydantic import ValidationError

from proxy.streams.rules import StreamRule


def test_by_default_nothing_is_added_but_a_word_to_the_next_proxy() -> None:
    rule = StreamRule()

    assert "event" == rule.errors
    assert not rule.hold_first_event
    assert rule.heartbeat is None
    assert rule.unbuffered
    assert not rule.progress
    assert not rule.finish_on_disconnect
    assert "off" == rule.end_marker.mode


def test_durations_are_written_as_everywhere() -> None:
    assert 15.0 == StreamRule.model_validate({"heartbeat": "15s"}).heartbeat


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"heartbeat": "0s"}, id="a heartbeat without end"),
        pytest.param({"errors": "anthropic"}, id="a form that nobody knows"),
        pytest.param({"heart_beat": "1s"}, id="a knob that is none"),
        pytest.param({"end_marker": {"mode": "warn"}}, id="a marker that is not named"),
    ],
)
def test_what_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StreamRule.model_validate(wrong)


def test_every_knob_says_what_it_is_for() -> None:
    silent = [name for name, knob in StreamRule.model_fields.items() if not knob.description]

    assert [] == silent
