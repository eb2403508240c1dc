"""The story: everything recorded about one exchange, as it is kept, sent and shown.

Made from the record when somebody asks, or when it goes to the store; never on the way of a
request. What it is made from was redacted when it was recorded.
"""

from collections.abc import Mapping
from typing import Final

from proxy.clock import iso
from proxy.diagnostics.stories.around import around_of
from proxy.diagnostics.stories.choice import went_to
from proxy.diagnostics.stories.circumstances import tls_failed
from proxy.diagnostics.stories.client_end import client_told
from proxy.diagnostics.stories.clocks import (
    Clock,
    clocks_of,
    head_at,
    is_tunnel,
    silence,
)  # fmt: skip
from proxy.diagnostics.stories.diagnosis import diagnose, runbook_of
from proxy.diagnostics.stories.evidence import connection_of, dns_of, evidence_told
from proxy.diagnostics.stories.fallbacks import fallback_of
from proxy.diagnostics.stories.guards import guards_of, route_of
from proxy.exchange import Exchange
from proxy.observation.breaker_opening import opened
from proxy.observation.record import RESERVED, ms
from proxy.outcome import INTERNAL_ERROR, Outcome, level_of

Story = dict[str, object]
"""JSON-able and redacted; what has nothing to say is left out."""

SUMMARY: Final = (
    "request_id", "at", "ended", "method", "path", "status", "code", "term", "level",
    "duration_ms", "fields", "detail", "client_ip", "user_agent", "instance",
)  # fmt: skip
"""What a list of stories says of each, beside its route and its number of attempts."""


def story_of(x: Exchange, *, worker: int = 0, instance: str = "") -> Story:
    """The whole story of an exchange that has ended; `instance` has served it."""
    outcome, around = x.outcome or INTERNAL_ERROR, around_of(x)
    told: dict[str, object] = {
        "request_id": x.request_id,
        "client_request_id": x.client_request_id or None,
        "upstream_request_id": x.upstream_request_id or None,
        "upstream_ids": x.upstream_ids,
        "trace_id": x.trace_id or None,
        "span_id": x.span_id or None,
        "fields": own_fields(x) or None,
        "at": iso(x.started_wall),
        "started": round(x.started_wall, 3),
        "ended": round(x.started_wall + x.duration, 3),
        "method": x.method,
        "path": x.target,
        "host": x.host or None,
        "client_ip": x.client_ip,
        "client_cert": x.client_cert or None,
        "user_agent": x.user_agent or None,
        "route": route_of(x),
        **_end(x, outcome),
        "guards": guards_of(x),
        "attempts": [_attempt(x, n) for n in range(len(x.attempts))],
        "retry_stopped": x.retry_stopped if x.attempts else None,
        "fallback": fallback_of(x),
        "breaker": _breaker(x),
        "times": _times(x),
        "parts": {f"{name}_ms": ms(took) for name, took in x.spent.by_name().items()},
        "clocks": [_clock(clock) for clock in clocks_of(x)],
        "stream": _stream(x),
        "client": client_told(x, outcome),
        "config_hash": x.config_hash or None,
        "config_replaced_by": x.replaced_by or None,
        "worker": worker,
        "instance": instance or None,
        **evidence_told(x),
        **around,
        **diagnose(x, around),
        "runbook": runbook_of(x),
    }
    return {key: value for key, value in told.items() if value is not None}


def summary_of(story: Mapping[str, object]) -> Story:
    """What a list says of a story."""
    summary = {key: story[key] for key in SUMMARY if key in story}
    route, attempts = story.get("route"), story.get("attempts")
    if isinstance(route, Mapping):
        summary["route"], summary["upstream"] = route["name"], route["upstream"]
    tried = attempts if isinstance(attempts, list) else []
    summary["attempts"] = len(tried)
    if tried and (endpoint := tried[-1].get("endpoint")):
        summary["endpoint"] = endpoint
    return summary


def brief_of(x: Exchange, instance: str = "") -> Story:
    """The same, made from the record at a tenth of the price of a story."""
    outcome = x.outcome or INTERNAL_ERROR
    told: dict[str, object] = {
        "request_id": x.request_id,
        "at": iso(x.started_wall),
        "ended": round(x.started_wall + x.duration, 3),
        "method": x.method,
        "path": x.target,
        "status": x.status,
        "code": outcome.code,
        "term": x.term,
        "level": level_of(outcome, x.upstream_status),
        "duration_ms": ms(x.duration),
        "fields": own_fields(x) or None,
        "detail": x.detail or None,
        "client_ip": x.client_ip,
        "user_agent": x.user_agent or None,
        "instance": instance or None,
        "route": x.route or None,
        "upstream": x.upstream or None,
        "attempts": len(x.attempts),
        "endpoint": (x.attempts[-1].endpoint or None) if x.attempts else None,
    }
    return {key: value for key, value in told.items() if value is not None}


def own_fields(x: Exchange) -> dict[str, str]:
    """The team's own fields."""
    return {k: v for k, v in x.fields.items() if k not in RESERVED}


def _end(x: Exchange, outcome: Outcome) -> dict[str, object]:
    return {
        "code": outcome.code,
        "term": x.term,
        "level": level_of(outcome, x.upstream_status),
        "category": outcome.category,
        "status": x.status,
        "upstream_status": x.upstream_status,
        "interim": list(x.interim) or None,
        "detail": x.detail or None,
        "would_refuse": x.would_refuse,
        "fault": x.fault.place if x.fault else None,
        "duration_ms": ms(x.duration),
        "overhead_ms": ms(x.overhead),
        "bytes_in": x.bytes_in,
        "bytes_out": x.bytes_out,
    }


def _attempt(x: Exchange, n: int) -> Story:
    attempt = x.attempts[n]
    then, why = _then(x, n)
    told: dict[str, object] = {
        "number": n + 1,
        **went_to(attempt, x.started),
        "reused": attempt.reused,
        "connection": connection_of(x, attempt),
        "dns": dns_of(attempt),
        "at_ms": ms(attempt.started - x.started),
        "queue_ms": ms(attempt.queued) if attempt.queued else None,
        "connect_ms": _ms(attempt.in_vain if attempt.connect is None else attempt.connect),
        "upload_ms": ms(attempt.upload) if attempt.upload else None,
        "head_ms": _ms(attempt.head),
        "sent": attempt.sent,
        "status": attempt.status,
        "result": attempt.result,
        "code": attempt.outcome.code if attempt.outcome else None,
        "detail": attempt.detail or None,
        "tls_reason": reason.name if (reason := tls_failed(attempt)) else None,
        "upstream_ids": attempt.upstream_ids,
        "retry_after_ms": _ms(attempt.retry_after),
        "then": then,
        "why": why,
        "pause_ms": ms(attempt.pause) if then == "retried" else None,
        "budget_left": _rounded(attempt.budget_left),
    }
    return {key: value for key, value in told.items() if value is not None}


def _then(x: Exchange, n: int) -> tuple[str, str | None]:
    """What followed an attempt, and the cause of the retry or the reason why there was none."""
    attempt = x.attempts[n]
    if n + 1 < len(x.attempts):
        return "retried", (attempt.outcome.cause if attempt.outcome else None) or "status"
    if x.retry_stopped is not None:
        return "stopped", x.retry_stopped
    return ("answered" if attempt.status is not None else "stopped"), None


def _breaker(x: Exchange) -> Story | None:
    if x.breaker_state is None:
        return None
    told: Story = {"before": x.breaker_before or x.breaker_state, "after": x.breaker_state}
    if x.breaker_counts is not None:
        told["failures"], told["attempts"] = x.breaker_counts
    if x.terms is not None:
        told["window_ms"] = ms(x.terms.breaker.window)
    if x.opening is not None:
        told["opened"] = opened(x.opening, lambda at: iso(x.started_wall + at - x.started))
    return told


def _times(x: Exchange) -> Story:
    lengths = {
        "queue_ms": x.spent.queue,
        "upstream_ms": x.spent.upstream_wait,
        "client_ms": x.spent.client,
        "paused_ms": x.spent.pause,
        "cancel_ms": x.cancelled,
    }
    return {name: ms(length) for name, length in lengths.items() if length}


def _clock(clock: Clock) -> Story:
    told: Story = {"clock": clock.name, "configured_ms": _ms(clock.configured)}
    elapsed: Story = {} if clock.elapsed is None else {"elapsed_ms": ms(clock.elapsed)}
    return {**told, **elapsed, "ran_out": clock.ran_out}


def _stream(x: Exchange) -> Story | None:
    if not x.streamed:
        return None
    told: dict[str, object] = {
        "head_ms": _ms(head_at(x)),
        "first_event_ms": _ms(x.first_event),
        "events": None if is_tunnel(x) else x.events,
        "reads": x.reads or None,
        "max_gap_ms": ms(x.max_gap),
        "max_gap_at_ms": _ms(x.max_gap_at),
        "last_byte_ms": _ms(x.last_byte),
        "silent_ms": _ms(silence(x)),
        "held_bytes": x.held or None,
        "end_marker": x.end_marker,
        "raw": x.is_raw,
        "coding": x.raw_coding or None,
        "tunnel": is_tunnel(x),
        "told": x.inband_error,
    }
    return {key: value for key, value in told.items() if value is not None}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else ms(seconds)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
