"""Our own answers: what they say, and what they never say."""

import json

import pytest

from proxy import outcome as o
from proxy.http.error_response import (
    PROBLEM,
    error_body,
    error_lines,
    status_line,
    wants_problem,
    whole_seconds,
)
from proxy.outcome import OUTCOMES, Outcome


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        pytest.param(502, None, b"HTTP/1.1 502 Bad Gateway\r\n", id="the registered reason"),
        pytest.param(499, None, b"HTTP/1.1 499 Client Closed\r\n", id="nginx's status"),
        pytest.param(299, None, b"HTTP/1.1 299 \r\n", id="an unknown status keeps its space"),
        pytest.param(200, b"", b"HTTP/1.1 200 \r\n", id="an empty reason stays empty"),
        pytest.param(200, b"Gut \xff", b"HTTP/1.1 200 Gut \xff\r\n", id="a reason byte for byte"),
    ],
)
def test_the_status_line(status: int, reason: bytes | None, line: bytes) -> None:
    assert line == status_line(status, reason)


@pytest.mark.parametrize(
    ("length", "seconds"),
    [
        pytest.param(0.0, 1, id="at least one"),
        pytest.param(-3.0, 1, id="a moment that has passed"),
        pytest.param(1.0, 1, id="a whole one"),
        pytest.param(1.1, 2, id="never too early"),
    ],
)
def test_whole_seconds(length: float, seconds: int) -> None:
    assert seconds == whole_seconds(length)


def test_the_body_of_an_error() -> None:
    body = json.loads(error_body(o.CIRCUIT_OPEN, "r-1", 4.2))

    assert {
        "error": "circuit_open",
        "message": "The service is temporarily unavailable. Please try again in 5 s.",
        "request_id": "r-1",
        "retryable": True,
        "retry_after": 5,
    } == body


def test_without_a_wait_there_is_no_retry_after() -> None:
    body = json.loads(error_body(o.BAD_REQUEST, "r-1"))

    assert {"error", "message", "request_id", "retryable"} == set(body)
    assert body["retryable"] is False


def test_a_wait_of_unknown_length_is_a_few_seconds() -> None:
    message = json.loads(error_body(o.CIRCUIT_OPEN, "r-1"))["message"]

    assert message.endswith("Please try again in a few s.")


@pytest.mark.parametrize("retry_in", [None, 3.0])
def test_no_message_has_a_hole(retry_in: float | None) -> None:
    messages = [json.loads(error_body(row, "r", retry_in))["message"] for row in OUTCOMES.values()]

    assert [] == [message for message in messages if "{" in message]


@pytest.mark.parametrize(
    ("outcome", "status", "sent"),
    [
        pytest.param(o.CIRCUIT_OPEN, None, 503, id="ours"),
        pytest.param(o.UPSTREAM_ERROR, 500, 500, id="in place of the upstream's"),
    ],
)
def test_problem_details_have_our_members_too(
    outcome: Outcome, status: int | None, sent: int
) -> None:
    plain = json.loads(error_body(outcome, "a/b|c", 4.2, status))
    problem = json.loads(error_body(outcome, "a/b|c", 4.2, status, problem=True))

    assert {
        "type": f"urn:sidelight:error:{outcome.code}",
        "title": outcome.code.replace("_", " ").capitalize(),
        "status": sent,
        "detail": plain["message"],
        "instance": "a%2Fb%7Cc",
        **plain,
    } == problem
    assert b"Content-Type: application/problem+json\r\n" in error_lines(outcome, 7, kind=PROBLEM)


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        pytest.param(None, False, id="nothing said"),
        pytest.param(b"application/json, */*", False, id="everything"),
        pytest.param(b"application/problem+json", True, id="it alone"),
        pytest.param(b"text/html, Application/Problem+JSON;q=0.5", True, id="among others"),
        pytest.param(b"application/problem+json; q=0", False, id="refused"),
        pytest.param(b"application/problem+json;q=0.000;a=b", False, id="refused at length"),
        pytest.param(b"application/problem+json;q=0.001", True, id="hardly"),
        pytest.param(b"application/problem+jsonx", False, id="a longer name"),
    ],
)
def test_who_wants_problem_details(accept: bytes | None, wants: bool) -> None:
    assert wants == wants_problem(accept)


def test_whoever_is_told_when_may_come_back() -> None:
    assert json.loads(error_body(o.UPSTREAM_ERROR, "r-1", 7.0, 500))["retryable"] is True


@pytest.mark.parametrize(("status", "retryable"), [(500, False), (503, True)])
def test_a_masked_error_says_by_its_status_whether_to_retry(status: int, retryable: bool) -> None:
    body = json.loads(error_body(o.UPSTREAM_ERROR, "r-1", status=status))

    assert retryable == body["retryable"]


@pytest.mark.parametrize(
    ("outcome", "retry_in", "lines"),
    [
        pytest.param(
            o.ROUTE_NOT_FOUND,
            None,
            b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
            b"X-Sidelight-Error: route_not_found\r\nContent-Length: 7\r\n",
            id="an error",
        ),
        pytest.param(
            o.CIRCUIT_OPEN,
            0.2,
            b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
            b"X-Sidelight-Error: circuit_open\r\nContent-Length: 7\r\nRetry-After: 1\r\n",
            id="an error that passes",
        ),
        pytest.param(
            o.UPGRADE_NOT_ALLOWED,
            None,
            b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
            b"X-Sidelight-Error: upgrade_not_allowed\r\nContent-Length: 7\r\n"
            b"Upgrade: HTTP/1.1\r\nConnection: upgrade\r\n",
            id="a 426 names a protocol that is spoken here",
        ),
    ],
)
def test_the_headers_of_an_error(outcome: Outcome, retry_in: float | None, lines: bytes) -> None:
    assert lines == error_lines(outcome, 7, retry_in)
