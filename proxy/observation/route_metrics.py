"""Counts the exchanges of one route. Its series are looked up once, since this runs every time."""

from collections.abc import Callable
from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.fallback.record import FallbackRecord
from proxy.observation.series import Series
from proxy.outcome import CIRCUIT_OPEN, COMPLETED, ERRORS, Outcome, level_of

OTHER: Final = "other"
NONE: Final = "none"
METHODS: Final = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
_STATUSES: Final[dict[int | None, str]] = {None: NONE, **{n: str(n) for n in range(100, 600)}}
_CLIENT_LEFT: Final = ("client_closed_request", "client_closed_stream", "client_too_slow")


class RouteMetrics:
    """The series that carry this route's name, and those of its upstream."""

    def __init__(self, series: Series, route: str, upstream: str) -> None:
        self._route, self._upstream = route, upstream
        self._series, self._numbers = series, series.numbers
        self._requests = series.numbers("sidelight_requests_total")
        self._terminations = series.numbers("sidelight_terminations_total")
        self._completed = (route, COMPLETED.code)
        self._attempts = series.numbers("sidelight_attempts_total")
        self._uses = series.numbers("sidelight_upstream_connection_uses_total")
        self._duration = series.spread("sidelight_request_duration_seconds", route)
        self._overhead = series.spread("sidelight_overhead_seconds", route)
        self._size_in = series.spread("sidelight_request_size_bytes", route)
        self._size_out = series.spread("sidelight_response_size_bytes", route)
        self._head = series.spread("sidelight_time_to_head_seconds", route, upstream)

    def count(self, x: Exchange) -> None:
        route = self._route
        method = x.method if x.method in METHODS else self._overflow("sidelight_requests_total")
        status = _STATUSES.get(x.status) or self._overflow("sidelight_requests_total")
        self._requests[route, method, status] += 1
        duration = x.ended - x.started
        at = x.started_wall + duration
        self._duration.observe_of(duration, x.request_id, x.span_context, at)
        self._overhead.observe(x.overhead)
        self._size_in.observe(x.bytes_in)
        self._size_out.observe(x.bytes_out)
        if x.attempts:
            self._count_attempts(x)
        outcome = x.outcome
        if outcome is COMPLETED:
            self._terminations[self._completed] += 1
        elif outcome is not None:
            self._count_trouble(x, outcome)
        if x.streamed and outcome is not None and x.committed is not None:
            self._count_stream(x, _end_of_stream(x, outcome), x.ended - x.committed)

    def gaps(self, request_id: str, span: bytes) -> Callable[[float], None]:
        """Takes the silences within a stream that goes on."""
        spread = self._series.spread("sidelight_stream_gap_seconds", self._route)
        return spread.observer(request_id, span)

    def _count_attempts(self, x: Exchange) -> None:
        last = x.attempts[-1]
        if len(x.attempts) > 1:
            self._count_retries(x.attempts[:-1])
        self._count_attempt(last, self._upstream)
        if x.retry_stopped:
            stopped = self._numbers("sidelight_retries_suppressed_total")
            stopped[self._route, x.retry_stopped] += 1
        if last.head is not None:
            self._head.observe(last.head)

    def _count_retries(self, failed: list[Attempt]) -> None:
        for each in failed:
            self._count_attempt(each, self._upstream)
            cause = each.outcome.cause if each.outcome else None
            self._numbers("sidelight_retries_total")[self._route, cause or "status"] += 1

    def _count_attempt(self, attempt: Attempt, upstream: str) -> None:
        result = attempt.result or self._overflow("sidelight_attempts_total")
        self._attempts[self._route, upstream, result] += 1
        if attempt.reused:
            self._uses[upstream, "true"] += 1
            if result == "stale_connection":
                self._numbers("sidelight_stale_connections_total")[(upstream,)] += 1
        elif attempt.connect is not None:
            self._uses[upstream, "false"] += 1
            spread = self._series.spread("sidelight_upstream_connect_seconds", upstream)
            spread.observe(attempt.connect)

    def _count_trouble(self, x: Exchange, outcome: Outcome) -> None:
        """What only an exchange that did not simply complete may add to."""
        if outcome is CIRCUIT_OPEN or x.retry_stopped == "circuit_open":
            self._numbers("sidelight_circuit_rejections_total")[(self._route,)] += 1
        if x.fallback is not None:
            self._count_fallback(x.fallback, outcome.code)
        if x.cancelled is not None:
            spread = self._series.spread("sidelight_upstream_cancel_seconds", self._route)
            spread.observe(x.cancelled)
        if outcome.code in _CLIENT_LEFT:
            self._numbers("sidelight_client_disconnects_total")[self._route, x.term[1]] += 1
        level = level_of(outcome, x.upstream_status)
        if level not in ERRORS:
            self._terminations[self._route, outcome.code] += 1
            return
        one = (x.request_id, x.span_context, 1.0, x.started_wall + x.duration)
        for name, label in (
            ("sidelight_terminations_total", self._route),
            ("sidelight_errors_total", level),
        ):
            self._series.count_of(name, (label, outcome.code), one)

    def _count_fallback(self, fallback: FallbackRecord, code: str) -> None:
        if fallback.given:
            self._numbers("sidelight_fallbacks_total")[self._route, code] += 1
        if fallback.attempt is not None:
            self._count_attempt(fallback.attempt, fallback.upstream)

    def _count_stream(self, x: Exchange, code: str, seconds: float) -> None:
        self._numbers("sidelight_streams_total")[self._route, code] += 1
        for name, value in (
            ("sidelight_stream_duration_seconds", seconds),
            ("sidelight_stream_max_gap_seconds", x.max_gap),
        ):
            self._observe(name, value, x)
        if x.is_raw:
            self._numbers("sidelight_streams_unframed_total")[(self._route,)] += 1
        if x.reads:
            self._count_events(x, code)

    def _count_events(self, x: Exchange, code: str) -> None:
        """What only a stream whose events were seen may add to."""
        spread, route = self._series.spread, self._route
        self._numbers("sidelight_stream_reads_total")[(route,)] += x.reads
        spread("sidelight_stream_events", route).observe(x.events)
        spread("sidelight_stream_client_wait_seconds", route).observe(x.spent.client)
        if x.first_event is not None:
            self._observe("sidelight_time_to_first_event_seconds", x.first_event, x)
        if x.end_marker is not None:
            carried = "true" if x.end_marker else "false"
            self._numbers("sidelight_stream_end_markers_total")[route, carried] += 1
        if x.inband_error:
            self._numbers("sidelight_inband_errors_total")[route, code] += 1

    def _observe(self, name: str, value: float, x: Exchange) -> None:
        spread = self._series.spread(name, self._route)
        spread.observe_of(value, x.request_id, x.span_context, x.started_wall + x.duration)

    def _overflow(self, metric: str) -> str:
        self._numbers("sidelight_label_overflow_total")[(metric,)] += 1
        return OTHER


def _end_of_stream(x: Exchange, outcome: Outcome) -> str:
    """How the stream that the client got ended: that of a fallback is never a good end."""
    broken = x.fallback.outcome if x.fallback is not None else None
    return (broken or outcome).code
