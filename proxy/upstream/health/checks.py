"""The health checks of one upstream: one task for each endpoint, at intervals, until the end.

Says what a row of checks has shown, once for each change.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from proxy.clock import now
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.health.rules import HealthRule
from proxy.upstream.health.tally import CheckResult, Tally

JITTER = 0.1
"""The part of an interval by which it is longer or shorter."""

CheckEndpoint = Callable[[Endpoint], Awaitable[CheckResult]]


class HealthChecks:
    """Of the endpoints that `endpoints` gives; who is new there is found by the next check.

    `on_change` is told of an endpoint that is known for the first time, or is another now.
    """

    def __init__(
        self,
        rule: HealthRule,
        endpoints: Callable[[], Sequence[Endpoint]],
        check: CheckEndpoint,
        on_change: Callable[[Endpoint, Tally], None],
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._rule = rule
        self._endpoints = endpoints
        self._check = check
        self._on_change = on_change
        self._rng = rng
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._tallies: dict[Endpoint, Tally] = {}
        self._due: dict[Endpoint, float] = {}
        self._is_stopped = False

    def tally(self, endpoint: Endpoint) -> Tally | None:
        """What its checks have shown; None where there is no check of it."""
        return self._tallies.get(endpoint)

    def due(self, endpoint: Endpoint) -> float | None:
        """When its next check is, or the one under way began; None where there is none."""
        return self._due.get(endpoint)

    def next_in(self, at: float) -> float | None:
        """Seconds to the next check of any endpoint; None where there is none."""
        due = min(self._due.values(), default=None)
        return None if due is None else max(0.0, due - at)

    def sync(self) -> None:
        """Check those that are new, and no more those that are gone."""
        if self._is_stopped:
            return
        present = self._endpoints()
        for endpoint in present:
            if endpoint not in self._tasks:
                task = asyncio.get_running_loop().create_task(self._watch(endpoint))
                self._tasks[endpoint] = task
                task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """Begin to end all checks, those under way as well."""
        self._is_stopped = True
        for task in self._tasks.values():
            task.cancel()

    async def stop(self) -> None:
        """End all checks, those under way as well."""
        tasks = tuple(self._tasks.values())
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, endpoint: Endpoint) -> None:
        tally = self._tallies[endpoint] = Tally(self._rule.up_after, self._rule.down_after)
        try:
            while endpoint in self._endpoints():
                self._due[endpoint] = now()
                if tally.add(await self._check(endpoint)):
                    self._on_change(endpoint, tally)
                self.sync()
                pause = self._rule.interval * (1 - JITTER + 2 * JITTER * self._rng())
                self._due[endpoint] = now() + pause
                await asyncio.sleep(pause)
        finally:
            del self._tallies[endpoint], self._tasks[endpoint]
            self._due.pop(endpoint, None)
        self.sync()  # to those that took its place

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A fault of ours must not leave an endpoint as it was for ever, and nobody knows; nor may
        one that comes at once every time take all of the loop."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        loop = task.get_loop()
        loop.call_exception_handler({"message": "a health check broke", "exception": error})
        loop.call_later(self._rule.interval, self.sync)
