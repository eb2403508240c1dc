"""Bodies and heads of the responses that Sidelight makes itself: user-safe, machine-readable,
never cached.

No stack trace, no internal address and no exception name can get in: nothing but the outcome's
row, the request ID and a number of seconds is ever written.
"""

import math
from http import HTTPStatus
from urllib.parse import quote

import orjson

from proxy.http.accept import named_quality
from proxy.outcome import UPGRADE_NOT_ALLOWED, Outcome, retryable_of

JSON = b"application/json"
PROBLEM = b"application/problem+json"

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus} | {499: b"Client Closed"}


def status_line(status: int, reason: bytes | None = None) -> bytes:
    """`HTTP/1.1 502 Bad Gateway`, with the reason given or the registered one."""
    phrase = _REASONS.get(status, b"") if reason is None else reason
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase)


def whole_seconds(length: float) -> int:
    """Seconds for `Retry-After`: rounded up, at least one, so that nobody comes back too early."""
    return max(1, math.ceil(length))


def wants_problem(accept: bytes | None) -> bool:
    """Whether `Accept` names problem details, and not by refusing them."""
    if accept is None or b"problem" not in accept.lower():
        return False
    return named_quality(accept, PROBLEM) > 0


def error_body(
    outcome: Outcome,
    request_id: str,
    retry_in: float | None = None,
    status: int | None = None,
    *,
    number: int | None = None,
    problem: bool = False,
) -> bytes:
    """The JSON body of an error, for a user and for a program.

    `number` fills `{n}` in the message, a limit for instance.
    `retry_in` is in seconds; it fills `{n}` in the message and becomes `retry_after`.
    Whoever is told when to come back may come back.
    `status` is that of an upstream's own error, whose body this one replaces.
    `problem`: with the members of RFC 9457 before ours.
    """
    wait = None if retry_in is None else whole_seconds(retry_in)
    body: dict[str, object] = {
        "error": outcome.code,
        "message": message_of(outcome, retry_in, number),
        "request_id": request_id,
        "retryable": wait is not None or retryable_of(outcome, status),
    }
    if wait is not None:
        body["retry_after"] = wait
    if problem:
        body = {
            "type": f"urn:sidelight:error:{outcome.code}",
            "title": outcome.code.replace("_", " ").capitalize(),
            "status": status or outcome.status or 502,
            "detail": body["message"],
            "instance": quote(request_id, safe=""),
            **body,
        }
    return orjson.dumps(body)


def message_of(outcome: Outcome, retry_in: float | None = None, number: int | None = None) -> str:
    """The words for a user; `number` or else the seconds of `retry_in` stand for `{n}` in it."""
    wait = None if retry_in is None else whole_seconds(retry_in)
    return outcome.message.format(n=number or wait or "a few")


def error_lines(
    outcome: Outcome, length: int, retry_in: float | None = None, *, kind: bytes = JSON
) -> bytes:
    """Header lines of an answer of ours with a body of type `kind` and `length` bytes."""
    lines = (
        b"Content-Type: %b\r\n"
        b"Cache-Control: no-store\r\n"
        b"X-Sidelight-Error: %b\r\n"
        b"Content-Length: %d\r\n" % (kind, outcome.code.encode(), length)
    )
    if retry_in is not None:
        lines += b"Retry-After: %d\r\n" % whole_seconds(retry_in)
    if outcome is UPGRADE_NOT_ALLOWED:  # RFC 9110 §15.5.22: a 426 names what it will speak
        lines += b"Upgrade: HTTP/1.1\r\nConnection: upgrade\r\n"
    return lines
