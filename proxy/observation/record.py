"""The `exchange` event of the log, field by field.

It reads the record, which is redacted already (see `recorded`), and invents nothing; a field that
has nothing to say is left out.
"""

from collections.abc import Callable, Mapping
from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.fallback.record import FallbackRecord
from proxy.observation.end_facts import END_FIELDS, end_facts
from proxy.outcome import COMPLETED, Level

Event = dict[str, object]
EmitEvent = Callable[[str, Level, Mapping[str, object]], None]
"""Writes an event to the log: its name, its level, its fields."""

FIELDS: Final = (
    "request_id",
    "client_request_id",
    "upstream_request_id",
    "upstream_ids",
    "trace_id",
    "span_id",
    "route",
    "upstream",
    "endpoint",
    "address",
    "chosen",
    "method",
    "path",
    "status",
    "upstream_status",
    "interim",
    "code",
    "term",
    "detail",
    "fallback",
    "fallback_upstream",
    "fallback_result",
    "fallback_code",
    "would_refuse",
    "fault",
    "attempts",
    "attempt_results",
    "retry_stopped",
    "retry_after_ms",
    "connection_reused",
    "breaker_state",
    "streamed",
    "events",
    "end_marker",
    "inband_error",
    "queue_ms",
    "connect_ms",
    "head_ms",
    "first_event_ms",
    "max_gap_ms",
    "duration_ms",
    "upstream_ms",
    "overhead_ms",
    "bytes_in",
    "bytes_out",
    *END_FIELDS,
    "client_ip",
    "client_cert",
    "user_agent",
    "config_hash",
    "worker",
)
"""Every field of the event that is ours, in order; the team's own stand after the IDs."""

RESERVED: Final = frozenset(FIELDS) | {"timestamp", "level", "service", "event"}
"""Names that no field of the team's own may take."""


def event_of(x: Exchange, *, worker: int = 0, begun: Event | None = None) -> Event:
    """The fields of the event in their order, behind those of `begun`, which are the log's own."""
    event: Event = {} if begun is None else begun
    event["request_id"] = x.request_id
    _add_ids(event, x)
    if x.route:
        event["route"] = x.route
        event["upstream"] = x.upstream
    if x.attempts:
        _add_endpoint(event, x.attempts[-1])
    event["method"] = x.method
    event["path"] = x.target
    _add_end(event, x)
    _add_attempts(event, x)
    _add_times(event, x)
    if x.outcome is not COMPLETED or x.evidence is not None or x.raw_coding:
        _add_end_facts(event, x)
    event["client_ip"] = x.client_ip
    if x.client_cert:
        event["client_cert"] = x.client_cert
    if x.user_agent:
        event["user_agent"] = x.user_agent
    if x.config_hash:
        event["config_hash"] = x.config_hash
    event["worker"] = worker
    return event


def ms(seconds: float) -> float:
    """Milliseconds with at most three decimals, as events say lengths of time."""
    return int(seconds * 1e6 + 0.5) / 1000  # a third of the price of `round`


def _add_endpoint(event: Event, last: Attempt) -> None:
    event["endpoint"] = last.endpoint
    if last.address is not None:
        event["address"] = last.address
    if last.chosen is not None:
        event["chosen"] = last.chosen.why


def _add_end_facts(event: Event, x: Exchange) -> None:
    for name, value in end_facts(x).items():
        event[name] = ms(value) if isinstance(value, float) else value


def _add_ids(event: Event, x: Exchange) -> None:
    if x.client_request_id:
        event["client_request_id"] = x.client_request_id
    if x.upstream_request_id:
        event["upstream_request_id"] = x.upstream_request_id
        if x.upstream_ids and len(x.upstream_ids) > 1:
            event["upstream_ids"] = x.upstream_ids
    if x.fields:
        for name, value in x.fields.items():
            if name not in RESERVED:
                event[name] = value
    if x.span_context:
        digits = _digits_of_span(x)
        event["trace_id"], event["span_id"] = digits[:32], digits[32:48]


def _digits_of_span(x: Exchange) -> str:
    """Of its trace and span; at hand where the span is ours."""
    own = x.span
    if own is not None and own.ids is x.span_context:
        return own.digits
    return x.span_context.hex()


def _add_end(event: Event, x: Exchange) -> None:
    outcome = x.outcome
    if x.status is not None:
        event["status"] = x.status
    if x.upstream_status is not None:
        event["upstream_status"] = x.upstream_status
    if x.interim:
        event["interim"] = list(x.interim)
    if outcome is not None:
        event["code"] = outcome.code
        event["term"] = x.term
    if x.detail:
        event["detail"] = x.detail
    if x.fallback is not None:
        _add_fallback(event, x.fallback)
    if x.would_refuse:
        event["would_refuse"] = x.would_refuse
    if x.fault is not None:
        event["fault"] = x.fault.place


def _add_fallback(event: Event, fallback: FallbackRecord) -> None:
    if fallback.given:
        event["fallback"] = fallback.given
    if fallback.upstream:
        event["fallback_upstream"] = fallback.upstream
    if fallback.attempt is not None and fallback.attempt.result is not None:
        event["fallback_result"] = fallback.attempt.result
    if fallback.outcome is not None:
        event["fallback_code"] = fallback.outcome.code


def _add_attempts(event: Event, x: Exchange) -> None:
    if made := len(x.attempts):
        last = x.attempts[-1]
        event["attempts"] = made
        event["attempt_results"] = [each.result for each in x.attempts]
        if x.retry_stopped:
            event["retry_stopped"] = x.retry_stopped
        if last.retry_after is not None:
            event["retry_after_ms"] = ms(last.retry_after)
        event["connection_reused"] = last.reused
    if x.breaker_state:
        event["breaker_state"] = x.breaker_state
    if x.streamed:
        _add_stream(event, x)


def _add_stream(event: Event, x: Exchange) -> None:
    event["streamed"] = True
    if x.reads and (x.events or not x.is_raw):
        event["events"] = x.events
    if x.end_marker is not None:
        event["end_marker"] = x.end_marker
    if x.inband_error:
        event["inband_error"] = True


def _add_times(event: Event, x: Exchange) -> None:
    spent = x.spent
    if spent.queue:
        event["queue_ms"] = ms(spent.queue)
    if x.attempts:
        last = x.attempts[-1]
        if last.connect is not None:
            event["connect_ms"] = ms(last.connect)
        if last.head is not None:
            event["head_ms"] = ms(last.head)
    if x.first_event is not None:
        event["first_event_ms"] = ms(x.first_event)
    if x.streamed and x.max_gap:
        event["max_gap_ms"] = ms(x.max_gap)
    event["duration_ms"] = ms(x.ended - x.started)
    if upstream := spent.connect + spent.upstream:
        event["upstream_ms"] = ms(upstream)
    event["overhead_ms"] = ms(x.overhead)
    event["bytes_in"] = x.bytes_in
    event["bytes_out"] = x.bytes_out
