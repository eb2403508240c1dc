"""Spans as a whole: what happens where the library is missing, and that nothing is made unasked."""

import json
import sys

import pytest

from proxy.settings.load import parse
from proxy.tracing.service import Tracing, TracingMissingError
from tests.house.house import settings_of

VARIABLE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


def tracing(said: list, environ: dict | None = None, **rule: object) -> Tracing:
    settings = parse(json.dumps(settings_of("http://127.0.0.1:1", tracing=rule)))
    return Tracing(settings, lambda *told: said.append(told), environ or {})


@pytest.fixture
def without_library(monkeypatch):
    for name in [n for n in sys.modules if n.startswith(("opentelemetry", "proxy.tracing.exp"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)


def test_nothing_is_made_unasked() -> None:
    made = tracing([])

    assert (None, [], []) == (made.sampler, made.readers, list(made.readings()))


def test_settings_that_want_what_is_missing_are_refused(without_library) -> None:
    with pytest.raises(TracingMissingError, match=r"pip install '\.\[otel\]'"):
        tracing([], endpoint="http://127.0.0.1:1")


def test_a_variable_alone_never_keeps_us_from_starting(without_library) -> None:
    said: list = []
    made = tracing(said, VARIABLE)
    made.start()

    assert made.sampler is None
    assert ["spans_failed"] == [event for event, *_ in said]


def test_what_is_slow_is_taken_with_other_settings() -> None:
    made = tracing([], endpoint="http://127.0.0.1:1", always=["slow"])
    made.take(parse(json.dumps(settings_of("http://127.0.0.1:1", stories={"slow": "7s"}))))

    assert made.sampler is not None
    assert 7.0 == made.sampler._slow
