"""Exchanges as the way of a request records them, of any lengths of time, for property tests."""

from dataclasses import dataclass

from hypothesis import strategies as st

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import OUTCOMES
from proxy.time_spent import QUEUE

BEGAN = 100.0
OWN = 0.001
"""What Sidelight itself takes between two waits."""
WAITS = st.floats(0.001, 500.0)
GAPS = st.lists(WAITS, max_size=4)

BEFORE_HEAD = ("head_timeout", "upstream_reset", "total_timeout", "client_closed_request")
OF_STREAMS = ("completed", "stream_stalled", "stream_reset", "stream_max_duration")
UNCONNECTED = ("connect_timeout", "connect_refused", "tls_failure")


@dataclass
class Recorded:
    """An exchange, and what really was waited for at its end."""

    x: Exchange
    waited: float
    """By the clock that ended it, where one did."""
    first_event: float | None = None
    """From the head."""


def _begun(code: str, terms: object) -> Exchange:
    x = Exchange(BEGAN, 1e9, "POST", "/api/chat", "192.0.2.7")
    x.request_id, x.route, x.upstream, x.terms = "id-1", "chat", "chat", terms  # type: ignore[assignment]
    x.outcome = OUTCOMES[code]
    return x


def _ended(x: Exchange, at: float) -> Exchange:
    x.ended = at
    return x


def _failed_before(x: Exchange, at: float, head: float, pause: float) -> float:
    """An attempt that was repeated; when the next one begins."""
    first = Attempt("http://a:1", at)
    first.head, first.sent, first.result, first.pause = head, True, "reset", pause
    first.outcome = OUTCOMES["upstream_reset"]
    x.attempts.append(first)
    return at + head + OWN + pause


@st.composite
def recorded(draw: st.DrawFn, terms: object) -> Recorded:
    """One of any of the ends above."""
    code = draw(st.sampled_from((*BEFORE_HEAD, *OF_STREAMS, *UNCONNECTED, "pool_timeout")))
    x = _begun(code, terms)
    at, queued = BEGAN + OWN, draw(st.just(0.0) | WAITS)
    if draw(st.booleans()):
        at = _failed_before(x, at, draw(WAITS), draw(WAITS))
    x.spent.enter(QUEUE, at)
    x.spent.enter(QUEUE, at + queued)
    last = Attempt("http://b:2", at)
    last.queued = queued
    if code == "pool_timeout":
        x.clock_over(queued)
        return Recorded(_ended(x, at + queued + OWN), queued)
    x.attempts.append(last)
    if code in UNCONNECTED:
        last.in_vain = draw(WAITS)
        last.result, last.outcome = OUTCOMES[code].result, OUTCOMES[code]
        return Recorded(_ended(x, last.connected_at + last.in_vain), last.in_vain)
    last.reused, last.sent, last.head = draw(st.booleans()), True, draw(WAITS)
    last.connect = None if last.reused else draw(WAITS)
    if draw(st.booleans()):
        last.upload = draw(WAITS)
    head_at = last.sent_at + last.head
    if code in BEFORE_HEAD:
        last.result = OUTCOMES[code].result
        since = last.sent_at if last.upload else x.attempts[0].started
        return Recorded(_ended(x, head_at), head_at - since if code[0] == "t" else last.head)
    return _streamed(draw, x, last, head_at)


def _streamed(draw: st.DrawFn, x: Exchange, last: Attempt, head_at: float) -> Recorded:
    last.status = x.upstream_status = 200
    last.result = "ok"
    x.commit(200, head_at)
    x.begin_stream()
    at, first = head_at, None
    for gap in draw(GAPS):
        at += gap
        x.saw(at, gap, 1)
        x.events += 1
        x.sent(10)
        if first is None:
            first, x.first_event = gap, at - x.started
    silent = draw(WAITS)
    x = _ended(x, at + silent)
    waited = x.ended - head_at if x.outcome is OUTCOMES["stream_max_duration"] else silent
    return Recorded(x, waited, first)
