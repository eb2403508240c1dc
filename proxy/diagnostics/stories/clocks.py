"""Every clock of an exchange: what was configured, what elapsed, and which one ran out."""

from dataclasses import dataclass
from typing import Final

from proxy import outcome as o
from proxy.exchange import Exchange
from proxy.terms import Timeouts
from proxy.timing.upload_clocks import WINDOW

RAN_OUT: Final = {
    o.REQUEST_TIMEOUT.code: "request_body_gap",
    o.CONNECT_TIMEOUT.code: "connect",
    o.POOL_TIMEOUT.code: "pool_wait",
    o.HEAD_TIMEOUT.code: "head",
    o.FIRST_EVENT_TIMEOUT.code: "first_event",
    o.STREAM_STALLED.code: "gap",
    o.STREAM_MAX_DURATION.code: "max_stream",
    o.TOTAL_TIMEOUT.code: "total",
    o.CLIENT_TOO_SLOW.code: "client_write",
}
"""The clock that ends an exchange with this code."""

_OF_BODIES: Final = ("request_body", "min_upload_rate")
"""Other clocks of a body, by which the words for it begin."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock; lengths of time in seconds."""

    name: str
    configured: float | None
    """None: off."""
    elapsed: float | None
    """None: it did not run, or nobody measured it."""
    ran_out: bool


def ran_out(x: Exchange) -> str | None:
    """The clock that ended the exchange; None where it was none of them."""
    if x.outcome is o.STREAM_STALLED and (x.detail or "").startswith("event_gap"):
        return "event_gap"
    if is_tunnel(x):
        return "tunnel_idle" if (x.detail or "").startswith("silent for") else None
    if x.outcome is o.REQUEST_TIMEOUT and x.terms is None:
        return None  # the clock of the head belongs to the listener, not to a route
    if x.outcome is o.REQUEST_TIMEOUT and (x.detail or "").startswith("the upstream"):
        return None
    if x.outcome is o.REQUEST_TIMEOUT and (x.detail or "").startswith(_OF_BODIES):
        return (x.detail or "").partition(":")[0]
    return RAN_OUT.get(x.outcome.code) if x.outcome else None


def clocks_of(x: Exchange) -> list[Clock]:
    """All clocks of the route; none where no route was found."""
    if x.terms is None:
        return []
    timeouts, over = x.terms.timeouts, ran_out(x)
    measured = _measured(x)
    if over is not None and measured.get(over) is None:
        measured[over] = x.clock_ran
    return [
        Clock(name, _configured(timeouts, name), measured.get(name), name == over)
        for name in (
            "request_body_gap",
            "request_body",
            "min_upload_rate",
            "pool_wait",
            "connect",
            "head",
            "first_event",
            "gap",
            "event_gap",
            "max_stream",
            "total",
            "client_write",
            "tunnel_idle",
        )
    ]


def _configured(timeouts: Timeouts, name: str) -> float | None:
    if name == "min_upload_rate":
        return WINDOW if timeouts.min_upload_rate else None
    value: float | None = getattr(timeouts, name)
    return value


def is_tunnel(x: Exchange) -> bool:
    """Whether bytes were passed both ways after a 101, and no events were looked for."""
    return x.upstream_status == 101


def head_at(x: Exchange) -> float | None:
    """From opening to the head of the answer; None where none came."""
    last = x.attempts[-1] if x.attempts else None
    if last is None or last.head is None or last.status is None:
        return None
    return last.sent_at - x.started + last.head


def silence(x: Exchange) -> float | None:
    """How long nothing had come when the exchange ended; None where nobody knows."""
    since = x.last_byte
    if since is None and not x.bytes_out:
        since = head_at(x)
    return None if since is None else max(0.0, x.duration - since)


def _total_began(x: Exchange) -> float:
    """The clock of the whole begins with the first attempt, and anew as an upload is over."""
    uploads = [each.sent_at for each in x.attempts if each.upload]
    return uploads[-1] if uploads else x.attempts[0].started


def _measured(x: Exchange) -> dict[str, float | None]:
    measured: dict[str, float | None] = {}
    if not x.attempts:
        return measured
    last, head = x.attempts[-1], head_at(x)
    connect = last.in_vain if last.connect is None else last.connect
    measured.update(connect=connect, head=last.head)
    if x.outcome is not o.POOL_TIMEOUT:
        measured["pool_wait"] = last.queued
    measured["total"] = (x.committed or x.ended) - _total_began(x)
    if head is not None:
        if x.streamed and not x.is_raw and not is_tunnel(x):
            measured["first_event"] = (x.first_event or x.duration) - head
        stalled = silence(x) if x.outcome is o.STREAM_STALLED else None
        measured["gap"] = x.max_gap if stalled is None else stalled
        if x.committed is not None:
            measured["max_stream"] = x.ended - x.committed
    return measured
