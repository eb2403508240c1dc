"""Turns each finished exchange into a log line, metrics, summary and upstream health.

Works through many at once, see `batch`.
"""

import random
from collections import Counter
from collections.abc import Callable

from proxy import clock
from proxy.exchange import Exchange
from proxy.observation.fault import fault_place
from proxy.observation.log import Log, encode
from proxy.observation.metrics import Metrics
from proxy.observation.record import event_of
from proxy.observation.recorded import hide, redact_in_place
from proxy.observation.summary import Summary
from proxy.observation.upstream_status import (
    AttemptHistory,
    is_plain_success,
    results_of,
    spare_result,
)
from proxy.outcome import COMPLETED, DRAIN_CUT, DRAINING, INTERNAL_ERROR, level_of


class Recorder:
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
    ) -> None:
        self.histories: dict[str, AttemptHistory] = {}
        """The attempts at each upstream that had any."""
        self.drained: Counter[str] | None = None
        """What became of exchanges while draining; None before."""
        self._log, self._metrics, self._summary = log, metrics, summary
        self.sample = sample
        self._worker, self._rng = worker, rng

    def record(self, ended: list[Exchange]) -> None:
        """Record these exchanges, in this order; nothing is raised. They are redacted in place."""
        lines: list[bytes] = []
        dates = clock.wall() - clock.now()
        for x in ended:
            try:
                self._redact(x)
                self._add_line(lines, x, x.ended + dates)  # when it ended, not when it is recorded
                self._count(x)
            except Exception as fault:  # noqa: BLE001  # a fault of ours must not cost the exchange
                self._metrics.fault()
                fields = {"request_id": x.request_id, "fault": fault_place(fault)}
                lines.append(self._log.line("observer_failed", "critical", fields, clock.wall()))
        self._log.put(lines)

    def _redact(self, x: Exchange) -> None:
        try:
            redact_in_place(x)
        except BaseException:
            hide(x)
            raise

    def _add_line(self, lines: list[bytes], x: Exchange, at: float) -> None:
        outcome = x.outcome or INTERNAL_ERROR
        if x.outcome is None:
            x.end(outcome, x.detail or "ended without an outcome")
        if outcome is COMPLETED and self.sample < 1 and self._rng() >= self.sample:
            return
        level = level_of(outcome, x.upstream_status)
        if self._log.hears(level):
            begun = self._log.begun("exchange", level, at)
            lines.append(encode(event_of(x, worker=self._worker, begun=begun)))

    def _count(self, x: Exchange) -> None:
        self._metrics.count(x)
        self._summary.add(x, x.ended)
        if is_plain_success(x):
            self._history(x.upstream).succeeded(x.ended)
        else:
            for result in results_of(x):
                self._history(x.upstream).add(result)
        if x.fallback is not None and (spare := spare_result(x.fallback, x.ended)):
            self._history(x.fallback.upstream).add(spare)
        if self.drained is not None:
            self._count_drained(self.drained, x)

    def _history(self, upstream: str) -> AttemptHistory:
        history = self.histories.get(upstream)
        if history is None:
            history = self.histories[upstream] = AttemptHistory()
        return history

    def _count_drained(self, drained: Counter[str], x: Exchange) -> None:
        result = drain_result(x)
        if result is not None:
            drained[result] += 1
            self._metrics.drained(result)


def drain_result(x: Exchange) -> str | None:
    """How an exchange that ended while draining got away; None: it came too late to begin."""
    outcome = (x.fallback.outcome if x.fallback is not None else None) or x.outcome
    if outcome is DRAINING and not x.route:
        return None
    if outcome is DRAINING or outcome is DRAIN_CUT:
        return "cut"
    return "client_left" if outcome is not None and outcome.term[0] in "Cc" else "finished"
