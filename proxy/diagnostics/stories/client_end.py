"""What the client received in the end, derived from the record."""

from typing import Literal

from proxy import outcome as o
from proxy.exchange import Exchange
from proxy.http.error_response import message_of

Got = Literal[
    "answer", "own_answer", "in_band_error", "aborted", "nothing", "client_left", "fallback"
]
"""`answer`: the upstream's, whole. `own_answer`: one that Sidelight made. `fallback`: another
upstream's, or a fixed one."""

_WHOLE = (o.COMPLETED, o.UPSTREAM_ERROR, o.STREAM_ERROR, o.STREAM_EMPTY)
_LEFT = (o.CLIENT_CLOSED_REQUEST, o.CLIENT_CLOSED_STREAM)


def client_got(x: Exchange) -> Got:
    if x.fallback is not None and x.fallback.given:
        return "fallback"
    if x.outcome in _LEFT:
        return "client_left"
    if x.committed is None:
        return "nothing"
    if x.masked:
        return "own_answer"
    if x.outcome in _WHOLE:
        return "answer" if x.attempts else "own_answer"
    if x.inband_error:
        return "in_band_error"
    return "own_answer" if x.upstream_status is None else "aborted"


def client_told(x: Exchange, outcome: o.Outcome) -> dict[str, object]:
    """The same with its status and its words, as a story says it."""
    got = client_got(x)
    told: dict[str, object] = {"got": got}
    if x.status is not None:
        told["status"] = x.status
    if got in ("own_answer", "in_band_error"):
        told["code"] = outcome.code
        is_long = outcome is o.MESSAGE_TOO_LONG and x.terms is not None
        most = x.terms.message.max_length if is_long and x.terms is not None else None
        told["message"] = message_of(outcome, x.retry_in, most)
    if x.retry_in is not None:
        told["retry_after"] = round(x.retry_in, 3)
    return told
