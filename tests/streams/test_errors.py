"""The errors inside streams, byte by byte."""

from typing import get_args

import pytest

from proxy import outcome as o
from proxy.http.error_response import error_body
from proxy.streams.errors import error_event
from proxy.streams.framing import Profile
from proxy.streams.ndjson import JsonSequence, Ndjson
from proxy.streams.sse import Sse
from tests.streams.reference import dispatched

BODY = error_body(o.STREAM_STALLED, "r-1")
PROFILES: tuple[Profile, ...] = get_args(Profile)


@pytest.mark.parametrize(
    ("profile", "event"),
    [
        pytest.param(
            "sse",
            b'event: error\ndata: {"error":"stream_stalled","message":"The answer stopped arriving.'
            b' What you see may be incomplete.","request_id":"r-1","retryable":true}\n\n',
            id="sse",
        ),
        pytest.param(
            "openai",
            b'data: {"error":{"message":"The answer stopped arriving. What you see may be'
            b' incomplete.","type":"server_error","param":null,"code":"stream_stalled",'
            b'"request_id":"r-1","retryable":true}}\n\n',
            id="openai",
        ),
        pytest.param(
            "ndjson",
            b'{"error":"stream_stalled","message":"The answer stopped arriving. What you see may be'
            b' incomplete.","request_id":"r-1","retryable":true}\n',
            id="ndjson",
        ),
        pytest.param(
            "json-seq",
            b'\x1e{"error":"stream_stalled","message":"The answer stopped arriving. What you see'
            b' may be incomplete.","request_id":"r-1","retryable":true}\n',
            id="json-seq",
        ),
    ],
)
def test_the_bytes(profile: Profile, event: bytes) -> None:
    assert error_event(profile, BODY) == event


def test_openai_keeps_the_time_to_wait() -> None:
    event = error_event("openai", error_body(o.DRAIN_CUT, "r-1", retry_in=3))

    assert event.endswith(b'"retry_after":3}}\n\n')


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("outcome", o.OUTCOMES.values(), ids=o.OUTCOMES)
def test_an_error_is_one_whole_event_and_no_success(outcome: o.Outcome, profile: Profile) -> None:
    event = error_event(profile, error_body(outcome, "r-1"))
    framing = {"ndjson": Ndjson, "json-seq": JsonSequence}.get(profile, Sse)()

    assert (framing.feed(event), framing.events) == (event, 1)
    assert b"[DONE]" not in event
    assert outcome.code.encode() in event


def test_a_reader_sees_the_error_by_its_name() -> None:
    assert dispatched(error_event("sse", BODY)) == [("error", BODY.decode())]


def test_a_reader_of_that_api_sees_data() -> None:
    ((name, data),) = dispatched(error_event("openai", BODY))

    assert name == "message"
    assert data.startswith('{"error":{')
