"""Observes the begin and end of every exchange and every change of state, for log and metrics.

All that is known of an exchange is made from its one record, so that line, count and health cannot
disagree. That happens a moment after it has ended, for many at once, but always before anything is
read and before a change of state is reported. Nothing here may ever harm the exchange it observes.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from proxy import clock
from proxy.exchange import Exchange
from proxy.observation.batch import Batch, Later, call_later
from proxy.observation.breaker_opening import opened
from proxy.observation.fault import fault_place
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.record import ms
from proxy.observation.recorded import weight
from proxy.observation.recorder import Recorder
from proxy.observation.route_metrics import NONE
from proxy.observation.series import Sample
from proxy.observation.stream_events import StreamEvents
from proxy.observation.summary import Summary
from proxy.observation.upstream_status import AttemptHistory
from proxy.outcome import Level
from proxy.resilience.permits import Transition
from proxy.upstream.endpoint_change import ChangeKind, EndpointChange

_BREAKER_EVENTS: Final = {
    "open": "breaker_opened", "half_open": "breaker_half_open", "closed": "breaker_closed",
}  # fmt: skip

_ENDPOINT_EVENTS: Final[dict[ChangeKind, tuple[str, Level]]] = {
    "down": ("endpoint_down", "warning"),
    "up": ("endpoint_up", "info"),
    "ejected": ("endpoint_ejected", "warning"),
    "returned": ("endpoint_returned", "info"),
    "dns_failed": ("endpoint_dns_failed", "warning"),
    "dns_found": ("endpoint_dns_found", "info"),
}

_STALL: Final = 1.0
"""Seconds of lag above which the event loop is said to have stalled."""

_SELDOM: Final = 10.0
"""Seconds between two events that say the same."""


class Observer:
    """`sample` is the recorder's; `later` is how a moment is waited for."""

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
        self.streams = StreamEvents(log, metrics)
        self.running: dict[int, Exchange] = {}
        """Exchanges that were opened and not closed yet, by identity."""
        self._refused, self._refused_said, self._refused_due = 0, 0, 0.0
        """Connections that were refused, how many of them events have reported, and when the next
        event is due."""
        self._stalls: list[float] = []
        """Stalls of the loop that no event has told of yet, in seconds."""
        self._stalls_due = self._drain_began = 0.0
        self._recorder = Recorder(log, metrics, summary, worker=worker, sample=sample, rng=rng)
        self._ended = Batch(self._record, later, weight)
        self.readers: list[Callable[[Sequence[Exchange]], None]] = []
        """Who else is given what has ended, once it is recorded."""
        self._log, self._metrics, self._worker = log, metrics, worker
        metrics.read_from(self._readings)

    def opened(self, x: Exchange) -> None:
        """An exchange began. Only what was opened is recorded when it closes."""
        self.running[id(x)] = x

    def close(self, x: Exchange) -> None:
        """An exchange ended: it will be recorded, once; from now on nobody may change it."""
        if self.running.pop(id(x), None) is None:
            return
        if not x.ended:
            x.close(clock.now())
        self._ended.add(x)

    def _record(self, ended: list[Exchange]) -> None:
        self._recorder.record(ended)
        try:
            for read in self.readers:
                read(ended)
        except Exception as fault:  # noqa: BLE001  # as in the recorder: nothing of it may reach traffic
            self._metrics.fault()
            self._log.say("observer_failed", "critical", {"fault": fault_place(fault)})

    def flush(self) -> None:
        """Record what has ended now rather than in a moment."""
        self._ended.flush()

    @property
    def histories(self) -> Mapping[str, AttemptHistory]:
        """The attempts at each upstream that had any."""
        self.flush()
        return self._recorder.histories

    def _readings(self) -> Iterator[Sample]:
        """What runs now, by route, and what the log lost."""
        self.flush()
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

    def started(self, **fields: object) -> None:
        """The process listens; `fields` say where, and which version it is."""
        self._log.emit("started", "info", **fields, worker=self._worker)

    def take(
        self, routes: Mapping[str, str], known: Collection[str], replaced: Collection[str]
    ) -> None:
        """Observe other routes (with their upstreams) from now on; `known` are all upstreams.

        `replaced` names upstreams of which nothing is known any more.
        """
        self.flush()
        histories = self._recorder.histories
        for name in [one for one in histories if one in replaced or one not in known]:
            del histories[name]
        running = {(x.route, x.upstream) for x in self.running.values() if x.route}
        self._metrics.take(routes, known, running)
        self._metrics.forget_endpoints(replaced)

    def record_share(self, sample: float) -> None:
        """Of exchanges that simply completed, log this share from now on."""
        self._recorder.sample = sample

    def config_loaded(self, config_hash: str, cause: str = "start", **fields: object) -> None:
        """Settings took effect."""
        self.flush()
        self._metrics.config(config_hash, clock.wall())
        if cause != "start":
            self._metrics.reloaded("loaded")
        self._log.emit("config_loaded", "info", config_hash=config_hash, cause=cause, **fields)

    def breaker_changed(self, change: Transition) -> None:
        self.flush()
        self._metrics.transition(change.name, change.to, change.cause)
        fields: dict[str, object] = {"route": change.name, "cause": change.cause}
        if change.to == "open":
            fields["cool_down_ms"] = ms(change.cool_down)
        if change.opening is not None:
            opening = opened(change.opening, lambda at: clock.iso(clock.wall() - clock.now() + at))
            fields["failures"] = opening["failures"]
        level: Level = "warning" if change.to == "open" else "info"
        self._log.emit(_BREAKER_EVENTS[change.to], level, **fields)

    def endpoint_changed(self, upstream: str, change: EndpointChange) -> None:
        """An endpoint came into use, or went out of it."""
        self.flush()
        if change.kind == "ejected":
            self._metrics.ejection(upstream, change.endpoint)
        fields: dict[str, object] = {"upstream": upstream, "endpoint": change.endpoint}
        if change.address is not None:
            fields["address"] = change.address
        fields["reason"] = change.reason
        if change.seconds is not None:
            fields["for_ms"] = ms(change.seconds)
        event, level = _ENDPOINT_EVENTS[change.kind]
        self._log.say(event, level, fields)

    def connection_refused(self) -> None:
        """A client's connection was closed at once, because the limit is reached."""
        self._refused += 1
        at = clock.now()
        if at >= self._refused_due:
            self._refused_due = at + _SELDOM
            new, self._refused_said = self._refused - self._refused_said, self._refused
            self._log.emit("connections_refused", "warning", refused=new)

    def loop_lag(self, seconds: float) -> None:
        """A timer of the event loop overslept by so much; a long stall is said."""
        self._metrics.lag(seconds)
        if seconds < _STALL:
            return
        self._stalls.append(seconds)
        at = clock.now()
        if at >= self._stalls_due:
            self._stalls_due = at + _SELDOM
            told, self._stalls = self._stalls, []
            fields = {"stalled_ms": ms(sum(told)), "stalls": len(told)}
            self._log.say("loop_stalled", "warning", fields)

    def overload_changed(self, cause: str, holds: bool, value: float, mark: float) -> None:
        """New requests are refused from now on, or taken again; `value` is what was measured."""
        unit, scale = ("ms", 1000.0) if cause == "loop_lag" else ("bytes", 1.0)
        measured = {f"measured_{unit}": round(value * scale), f"mark_{unit}": round(mark * scale)}
        fields: dict[str, object] = {"cause": cause, **measured}
        if holds:
            self._log.say("overload_began", "error", fields)
        else:
            self._log.say("overload_ended", "info", fields)

    def descriptors_short(self, limit: int, kept: int) -> None:
        """New connections are refused, because file descriptors run out; said once until freed."""
        self._log.emit("descriptors_short", "error", limit=limit, kept=kept)

    def descriptors_free(self, refused: int) -> None:
        """There are enough again; so many connections were refused meanwhile."""
        self._log.emit("descriptors_free", "info", refused=refused)

    def config_rejected(self, cause: str, faults: Sequence[str], **fields: object) -> None:
        """New settings were wrong; those before stay in force."""
        self._metrics.reloaded("rejected")
        self._log.emit("config_rejected", "error", cause=cause, faults=list(faults), **fields)

    def reload_refused(self, cause: str, reason: str) -> None:
        """Nobody looked at the settings."""
        self._metrics.reloaded("refused")
        self._log.emit("reload_refused", "warning", cause=cause, reason=reason)

    def drain_began(self, signal: str, limit: float) -> None:
        """From now on exchanges end because we do; `limit` is in seconds."""
        self.flush()
        self._recorder.drained, self._drain_began = Counter(), clock.now()
        running = len(self.running)
        self._log.emit("drain_began", "info", signal=signal, limit_ms=ms(limit), running=running)

    def drain_ended(self) -> None:
        """All exchanges ended or were cut."""
        self.flush()
        counts, results = self._recorder.drained or Counter(), ("finished", "cut", "client_left")
        fields = {result: counts[result] for result in results}
        took = ms(clock.now() - self._drain_began)
        level: Level = "warning" if counts["cut"] else "info"
        self._log.emit("drain_ended", level, duration_ms=took, running=len(self.running), **fields)
