"""Every outcome of an exchange, and the table of what follows from each.

The HTTP status is not the outcome: an answer cut in the middle went out as 200.
Add a row here and the docs, the runbook index and the tests ask for the rest.

`term` is two characters for grep: who ended it, and in which phase.
Who: C client, U upstream broke, u upstream too slow, c client too slow, P our policy,
O operator, I our fault, - normal.
Phase: R reading the request, Q limits and queues, B breaker, C connect, W sending the request,
H awaiting the head, F awaiting the first event, S body or stream, - done,
* the phase in which it happened.
"""

# ruff: noqa: E501  # the table is read by rows: one code, one line

from dataclasses import dataclass
from typing import Literal

Signal = Literal["success", "failure", "ratio", "neutral"]
"""What a breaker learns: `ratio` counts in the failure ratio only, `neutral` taught us nothing."""

Cause = Literal[
    "connect", "stale", "reset", "write", "status", "head_timeout", "first_event_timeout"
]
"""What a retry may be for: the members of a retry rule's `on`."""

Level = Literal["info", "warning", "error", "critical"]
ERRORS: tuple[Level, ...] = ("error", "critical")
"""What counts as an error: something that broke, not something refused."""

Category = Literal["client", "upstream", "policy", "operator", "internal"]

Result = Literal[
    "ok",
    "status_4xx",
    "status_429",
    "status_5xx",
    "dns_failure",
    "connect_refused",
    "connect_timeout",
    "tls_failure",
    "write_failed",
    "stale_connection",
    "reset",
    "head_timeout",
    "first_event_timeout",
    "protocol_error",
    "client_gone",
    "drained",
    "circuit_open",
]
"""How one attempt ended."""

NotRetried = Literal[
    "retry_after_too_long",
    "not_retryable",
    "not_idempotent",
    "body_not_replayable",
    "attempts_spent",
    "budget_spent",
    "deadline_near",
    "circuit_open",
    "committed",
    "draining",
    "client_gone",
]
"""Why a failed attempt was not repeated."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table.

    `status` is what the client is sent, None where the answer is the upstream's own or none can be.
    `message` is safe for users; `{n}` in it takes seconds or a limit.
    `cause` is the retry cause, None where no retry may follow.
    `result` is the attempt's result, None where no attempt ends this way.
    """

    code: str
    term: str
    status: int | None
    message: str
    level: Level
    category: Category
    retryable: bool = False
    cause: Cause | None = None
    signal: Signal = "neutral"
    result: Result | None = None

    @property
    def is_error(self) -> bool:
        """Whether it counts as an error in rates."""
        return self.level in ERRORS


OUTCOMES: dict[str, Outcome] = {}


def _row(
    code: str,
    term: str,
    status: int | None,
    message: str,
    level: Level,
    category: Category,
    *,
    retryable: bool = False,
    cause: Cause | None = None,
    signal: Signal = "neutral",
    result: Result | None = None,
) -> Outcome:
    row = Outcome(code, term, status, message, level, category, retryable, cause, signal, result)
    OUTCOMES[code] = row
    return row


_THEIRS = "The service reported an error."
_CLOSED = "The service closed the connection. Please try again."
_INVALID = "The service sent an invalid answer."
_KIND = "This kind of request is not supported."
_CUT = "The answer was cut off. What you see is incomplete."
_BUSY = "The service is busy. Please try again shortly."
_UNREACHED = "The service cannot be reached right now."

# fmt: off
COMPLETED = _row("completed", "--", None, "", "info", "client", signal="success", result="ok")
UPSTREAM_ERROR = _row("upstream_error", "--", None, _THEIRS, "error", "upstream", cause="status", result="status_5xx")  # level, signal, result and retryable by status: see below

BAD_REQUEST = _row("bad_request", "CR", 400, "The request could not be understood.", "info", "client")
HEADERS_TOO_LARGE = _row("headers_too_large", "CR", 431, "The request is too large.", "info", "client")
URI_TOO_LONG = _row("uri_too_long", "CR", 414, "The address is too long.", "info", "client")
BODY_TOO_LARGE = _row("body_too_large", "CR", 413, "The message is too long.", "info", "client")
MESSAGE_TOO_LONG = _row("message_too_long", "CR", 422, "Message too long (max {n} characters).", "info", "client")
MESSAGE_EMPTY = _row("message_empty", "CR", 422, "Message cannot be empty.", "info", "client")
REQUEST_TIMEOUT = _row("request_timeout", "cR", 408, "The request took too long to arrive. Please try again.", "info", "client", retryable=True)
NOT_IMPLEMENTED = _row("not_implemented", "CR", 501, _KIND, "info", "client")
HTTP_VERSION_NOT_SUPPORTED = _row("http_version_not_supported", "CR", 505, _KIND, "info", "client")

ROUTE_NOT_FOUND = _row("route_not_found", "PR", 404, "Not found.", "info", "policy")
METHOD_NOT_ALLOWED = _row("method_not_allowed", "PR", 405, "This action is not allowed here.", "info", "policy")
PREFLIGHT_REFUSED = _row("preflight_refused", "PR", 204, "", "info", "policy")
HTTPS_REQUIRED = _row("https_required", "PR", 403, "Please use a secure connection.", "info", "policy")
MEDIA_TYPE_NOT_SUPPORTED = _row("media_type_not_supported", "PR", 415, "This kind of content is not supported.", "info", "policy")
UPGRADE_NOT_ALLOWED = _row("upgrade_not_allowed", "PR", 426, "This connection type is not supported.", "info", "policy")
PROXY_LOOP = _row("proxy_loop", "PR", 508, "The service is misconfigured.", "error", "policy")

RATE_LIMITED = _row("rate_limited", "PQ", 429, "You are sending messages too quickly. Please wait {n} s.", "warning", "policy", retryable=True)
CLIENT_CONCURRENCY_LIMITED = _row("client_concurrency_limited", "PQ", 429, "Please wait for the current answer to finish.", "warning", "policy", retryable=True)
CONCURRENCY_LIMITED = _row("concurrency_limited", "PQ", 503, _BUSY, "warning", "policy", retryable=True)
QUEUE_TIMEOUT = _row("queue_timeout", "PQ", 503, _BUSY, "warning", "policy", retryable=True)
OVERLOAD_SHED = _row("overload_shed", "PQ", 503, _BUSY, "warning", "policy", retryable=True)
POOL_TIMEOUT = _row("pool_timeout", "PC", 503, _BUSY, "warning", "policy", retryable=True)
CIRCUIT_OPEN = _row("circuit_open", "PB", 503, "The service is temporarily unavailable. Please try again in {n} s.", "warning", "policy", retryable=True, result="circuit_open")
UPSTREAM_COOLING_DOWN = _row("upstream_cooling_down", "PB", 503, "The service is busy. Please try again in {n} s.", "warning", "policy", retryable=True, result="circuit_open")
NO_HEALTHY_UPSTREAM = _row("no_healthy_upstream", "PB", 503, "The service is temporarily unavailable.", "warning", "policy", retryable=True)
DRAINING = _row("draining", "OQ", 503, "The service is restarting. Please try again.", "warning", "operator", retryable=True)

DNS_FAILURE = _row("dns_failure", "UC", 502, _UNREACHED, "error", "upstream", retryable=True, cause="connect", signal="failure", result="dns_failure")
CONNECT_REFUSED = _row("connect_refused", "UC", 502, _UNREACHED, "error", "upstream", retryable=True, cause="connect", signal="failure", result="connect_refused")
CONNECT_TIMEOUT = _row("connect_timeout", "uC", 504, "The service did not answer in time.", "error", "upstream", retryable=True, cause="connect", signal="failure", result="connect_timeout")
TLS_FAILURE = _row("tls_failure", "UC", 502, "The service cannot be reached securely right now.", "error", "upstream", signal="failure", result="tls_failure")
UPSTREAM_WRITE_FAILED = _row("upstream_write_failed", "UW", 502, _CLOSED, "error", "upstream", retryable=True, cause="write", signal="failure", result="write_failed")
STALE_CONNECTION = _row("stale_connection", "UH", 502, _CLOSED, "error", "upstream", retryable=True, cause="stale", result="stale_connection")
UPSTREAM_RESET = _row("upstream_reset", "UH", 502, _CLOSED, "error", "upstream", retryable=True, cause="reset", signal="failure", result="reset")
HEAD_TIMEOUT = _row("head_timeout", "uH", 504, "The service is taking too long. Please try again.", "error", "upstream", retryable=True, cause="head_timeout", signal="failure", result="head_timeout")
UPSTREAM_PROTOCOL_ERROR = _row("upstream_protocol_error", "UH", 502, _INVALID, "error", "upstream", signal="failure", result="protocol_error")
UPSTREAM_HEADERS_TOO_LARGE = _row("upstream_headers_too_large", "UH", 502, _INVALID, "error", "upstream", signal="failure", result="protocol_error")
TOTAL_TIMEOUT = _row("total_timeout", "u*", 504, "The request took too long and was stopped.", "error", "upstream", retryable=True, signal="failure", result="head_timeout")

FIRST_EVENT_TIMEOUT = _row("first_event_timeout", "uF", 504, "The assistant is taking too long to start. Please try again.", "error", "upstream", retryable=True, cause="first_event_timeout", signal="failure", result="first_event_timeout")
STREAM_STALLED = _row("stream_stalled", "uS", None, "The answer stopped arriving. What you see may be incomplete.", "error", "upstream", retryable=True, signal="failure")
STREAM_TRUNCATED = _row("stream_truncated", "US", None, _CUT, "error", "upstream", retryable=True, signal="failure")
STREAM_RESET = _row("stream_reset", "US", None, _CUT, "error", "upstream", retryable=True, signal="failure")
STREAM_MALFORMED = _row("stream_malformed", "US", None, "The answer could not be read.", "error", "upstream", retryable=True, signal="failure")
STREAM_ERROR = _row("stream_error", "US", None, _THEIRS, "error", "upstream", signal="ratio")
STREAM_EMPTY = _row("stream_empty", "US", None, "", "warning", "upstream", retryable=True)
STREAM_MAX_DURATION = _row("stream_max_duration", "PS", None, "The answer was too long and was stopped.", "warning", "policy")
RESPONSE_TOO_LARGE = _row("response_too_large", "PS", 502, "The answer was too long and was stopped.", "warning", "policy")
DRAIN_CUT = _row("drain_cut", "OS", None, "The service is restarting. Please send your message again.", "warning", "operator", retryable=True, result="drained")

CLIENT_CLOSED_REQUEST = _row("client_closed_request", "C*", 499, "", "info", "client", result="client_gone")
CLIENT_CLOSED_STREAM = _row("client_closed_stream", "CS", None, "", "info", "client")
CLIENT_TOO_SLOW = _row("client_too_slow", "cS", None, "", "info", "client")
INTERNAL_ERROR = _row("internal_error", "I*", 500, "An unexpected error occurred. Please try again later.", "critical", "internal", retryable=True)
# fmt: on


def result_of(status: int) -> Result:
    """The attempt's result for an answer with this status."""
    if status < 400:
        return "ok"
    if status == 429:
        return "status_429"
    return "status_4xx" if status < 500 else "status_5xx"


def signal_of(status: int) -> Signal:
    """What a breaker learns from an answer with this status.

    502-504 say that the upstream cannot serve; any other 5xx may be one user's poisoned message
    and counts in the ratio only; everything else shows an upstream that answers.
    """
    if status in (502, 503, 504):
        return "failure"
    return "ratio" if status >= 500 else "success"


def of_status(status: int) -> Outcome:
    """The outcome of an answer that was passed on whole."""
    return COMPLETED if status < 400 else UPSTREAM_ERROR


def retryable_of(outcome: Outcome, status: int | None) -> bool:
    """Whether the client may try again; of an upstream's own error it depends on the status."""
    if outcome is UPSTREAM_ERROR:
        return status in (502, 503, 504)
    return outcome.retryable


def level_of(outcome: Outcome, status: int | None) -> Level:
    """The level of the event; of an upstream's own error it depends on the status."""
    if outcome is UPSTREAM_ERROR and (status is None or status < 500):
        return "info"
    return outcome.level
