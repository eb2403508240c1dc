"""The knobs of health checks."""

import pytest
from pydantic import ValidationError

from proxy.upstream.health.rules import HealthRule


def test_nothing_is_checked_without_a_path() -> None:
    assert not HealthRule().is_on
    assert HealthRule(path="/healthz").is_on


def test_statuses_are_single_ones_and_ranges() -> None:
    rule = HealthRule(path="/", status=("200-202", "404"))

    assert {200, 201, 202, 404} == rule.statuses
    assert frozenset(range(200, 300)) == HealthRule().statuses


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"path": "healthz"}, "is not a path"),
        ({"path": "/a b"}, "is not a path"),
        ({"path": "/a#b"}, "is not a path"),
        ({"path": "/a\r\nX: y"}, "is not a path"),
        ({"status": ["2xx"]}, "is not a status"),
        ({"status": ["299-200"]}, "is not a status"),
        ({"status": ["101"]}, "never ends an answer"),
        ({"status": []}, "at least 1 item"),
        ({"interval": "10ms"}, "greater than or equal to 0.1"),
        ({"timeout": "0s"}, "greater than 0"),
        ({"timeout": "2m"}, "at most 1m"),
        ({"host": "http://a"}, "is not a Host header"),
        ({"method": "POST"}, "Input should be 'GET' or 'HEAD'"),
    ],
)
def test_what_is_refused(knobs: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        HealthRule.model_validate(knobs)

    assert words in str(refused.value)
