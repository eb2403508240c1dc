"""Sees every exchange begin and end, and every change of state; tells the log and the metrics.

All that is known of an exchange is made here from its one record, so that line, count and health
cannot disagree. Nothing here may ever harm the exchange it tells of.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from proxy import clock
from proxy.exchange import Exchange
from proxy.observation.batch import Batch, Later, call_later
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.record import event_of, fault_place, ms
from proxy.observation.redaction import redact
from proxy.observation.route_metrics import NONE
from proxy.observation.series import Reading
from proxy.observation.summary import Summary
from proxy.observation.upstream_status import Lesson, lesson_of
from proxy.outcome import COMPLETED, DRAIN_CUT, DRAINING, INTERNAL_ERROR, Level, level_of
from proxy.resilience.permits import Transition

_BREAKER_EVENTS: Final = {
    "open": "breaker_opened",
    "half_open": "breaker_half_open",
    "closed": "breaker_closed",
}


class Observer:
    """`sample` is the share of completed exchanges that get a line; all others always do."""

    def __init__(
        self,
        log: Log,
        metrics: Metrics,
        summary: Summary,
        *,
        worker: int = 0,
        sample: float = 1.0,
        rng: Callable[[], float] = random.random,
        later: Later = call_later,
    ) -> None:
        self.running: dict[int, Exchange] = {}
        """Exchanges that were opened and not closed yet, by identity."""
        self._ended = Batch(self._record, later)
        self._lessons: dict[str, Lesson] = {}
        self._log, self._metrics, self._summary = log, metrics, summary
        self._worker, self._sample, self._rng = worker, sample, rng
        self._config_hash = ""
        self._drained: Counter[str] | None = None
        self._drain_began = 0.0
        metrics.read_from(self._readings)

    def opened(self, x: Exchange) -> None:
        """An exchange began. Only what was opened is recorded when it closes."""
        self.running[id(x)] = x

    def close(self, x: Exchange) -> None:
        """An exchange ended: it is recorded once, very soon, and whatever happens nothing is raised.

        Nobody may change it any more.
        """
        if self.running.pop(id(x), None) is None:
            return
        if not x.ended:
            x.ended = clock.now()
        self._ended.add(x)
        if x.fault is not None:
            self.flush()  # its traceback holds on to everything the exchange had

    def flush(self) -> None:
        """Record now what has ended. Before anything is read or a change of state is told."""
        self._ended.flush()

    @property
    def lessons(self) -> Mapping[str, Lesson]:
        """What was last learnt about each upstream."""
        self.flush()
        return self._lessons

    def _record(self, ended: list[Exchange]) -> None:
        lines: list[bytes] = []
        for x in ended:
            try:
                self._add_line(lines, x)
                self._count(x)
            except Exception as fault:  # noqa: BLE001  # a fault of ours must not cost the exchange
                self._metrics.fault()
                fields = {"request_id": redact(x.request_id), "fault": fault_place(fault)}
                lines.append(self._log.line("observer_failed", "critical", fields, clock.wall()))
        self._log.put(lines)

    def _add_line(self, lines: list[bytes], x: Exchange) -> None:
        if x.outcome is None:
            x.outcome, x.detail = INTERNAL_ERROR, x.detail or "ended without an outcome"
        if x.outcome is COMPLETED and self._sample < 1 and self._rng() >= self._sample:
            return
        level = level_of(x.outcome, x.upstream_status)
        if self._log.hears(level):
            event = event_of(x, worker=self._worker, config_hash=self._config_hash)
            at = clock.wall() - (clock.now() - x.ended)
            lines.append(self._log.line("exchange", level, event, at))

    def _count(self, x: Exchange) -> None:
        self._metrics.count(x)
        self._summary.add(x, x.ended)
        lesson = lesson_of(x)
        if lesson is not None:
            self._lessons[x.upstream] = lesson
        if self._drained is not None:
            self._count_drained(self._drained, x)

    def _count_drained(self, drained: Counter[str], x: Exchange) -> None:
        result = drain_result(x)
        if result is not None:
            drained[result] += 1
            self._metrics.drained(result)

    def _readings(self) -> Iterator[Reading]:
        """What runs now, by route, and what the log lost."""
        running, streams = (dict.fromkeys(self._metrics.routes, 0) for _ in range(2))
        for x in self.running.values():
            route = x.route or NONE
            running[route] = running.get(route, 0) + 1
            if x.streamed and x.committed is not None:
                streams[route] = streams.get(route, 0) + 1
        for route, n in running.items():
            yield "sidelight_requests_in_flight", (route,), n
        for route, n in streams.items():
            yield "sidelight_streams_active", (route,), n
        for cause, n in self._log.dropped.items():
            yield "sidelight_log_dropped_total", (cause,), n

    def stream_gap(self, x: Exchange, gap: float) -> None:
        """A stream was silent for `gap` seconds between two reads."""
        self._metrics.stream_gap(x.route, gap)

    def stream_started(self, x: Exchange) -> None:
        """Its head has gone out; told where the route asks for it."""
        self._log.emit("stream_started", "info", **_stream_fields(x))

    def stream_progress(self, x: Exchange) -> None:
        """It still runs."""
        age = ms(clock.now() - x.started)
        progress = {"duration_ms": age, "events": x.events, "bytes_out": x.bytes_out}
        gap = {"max_gap_ms": ms(x.max_gap)}
        self._log.emit("stream_progress", "info", **_stream_fields(x), **progress, **gap)

    def started(self, **fields: object) -> None:
        """The process listens; `fields` say where, and which version it is."""
        self._log.emit("started", "info", **fields, worker=self._worker)

    def config_loaded(self, config_hash: str, **fields: object) -> None:
        """Settings took effect; from now on every event names them."""
        self._config_hash = config_hash
        self._metrics.config(config_hash, clock.wall())
        self._log.emit("config_loaded", "info", config_hash=config_hash, **fields)

    def breaker_changed(self, change: Transition) -> None:
        self._metrics.transition(change.name, change.to, change.cause)
        fields: dict[str, object] = {"route": change.name, "cause": change.cause}
        if change.to == "open":
            fields["cool_down_ms"] = ms(change.cool_down)
        level: Level = "warning" if change.to == "open" else "info"
        self._log.emit(_BREAKER_EVENTS[change.to], level, **fields)

    def endpoint_changed(self, upstream: str, endpoint: str, is_up: bool) -> None:
        """An endpoint began or ceased to accept connections."""
        self._metrics.endpoint(upstream, endpoint, is_up=is_up)
        fields = {"upstream": upstream, "endpoint": endpoint}
        if is_up:
            self._log.say("endpoint_up", "info", fields)
        else:
            self._log.say("endpoint_down", "warning", fields)

    def drain_began(self, signal: str, limit: float) -> None:
        """From now on exchanges end because we do; `limit` is in seconds."""
        self._drained, self._drain_began = Counter(), clock.now()
        running = len(self.running)
        self._log.emit("drain_began", "info", signal=signal, limit_ms=ms(limit), running=running)

    def drain_ended(self) -> None:
        """All exchanges ended or were cut."""
        counts = self._drained or Counter()
        fields = {result: counts[result] for result in ("finished", "cut", "client_left")}
        took = ms(clock.now() - self._drain_began)
        level: Level = "warning" if counts["cut"] else "info"
        self._log.emit("drain_ended", level, duration_ms=took, running=len(self.running), **fields)


def _stream_fields(x: Exchange) -> dict[str, object]:
    return {"request_id": redact(x.request_id), "route": x.route, "upstream": x.upstream}


def drain_result(x: Exchange) -> str | None:
    """How an exchange that ended while draining got away; None: it came too late to begin."""
    outcome = x.outcome
    if outcome is DRAINING and not x.route:
        return None
    if outcome is DRAINING or outcome is DRAIN_CUT:
        return "cut"
    return "client_left" if outcome is not None and outcome.term[0] in "Cc" else "finished"
