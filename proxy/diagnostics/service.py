"""What an operator asks: what happened to this ID, which errors repeat, what needs attention now.

It gets every exchange in batches, after the observer has recorded them, and keeps stories, error
groups and alerts. It is the one interface of all readers: they can move to another process.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from proxy import clock
from proxy.diagnostics.alerts.conditions import SystemState
from proxy.diagnostics.alerts.notify import Message, Notifier
from proxy.diagnostics.alerts.watch import AlertWatch, Send, trial
from proxy.diagnostics.errors.groups import GroupOrder, Groups, copied
from proxy.diagnostics.errors.view import ErrorsView
from proxy.diagnostics.neighbours.desk import Desk
from proxy.diagnostics.neighbours.holders import Holders
from proxy.diagnostics.rules import DiagnosticsRules
from proxy.diagnostics.slow import is_slow
from proxy.diagnostics.stories.against import parted
from proxy.diagnostics.stories.found import FoundStories
from proxy.diagnostics.stories.keeping import in_sample, may_be_asked_for
from proxy.diagnostics.stories.lookup import StoryLookup
from proxy.diagnostics.stories.opening import open_store, others_of, standing, state_of
from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.recent import Recent
from proxy.diagnostics.stories.tail import Followed, Tail
from proxy.diagnostics.stories.trace_links import TraceLinks
from proxy.exchange import Exchange
from proxy.observation.fault import fault_place
from proxy.observation.readings import alert_samples, store_samples
from proxy.observation.record import EmitEvent
from proxy.observation.series import Sample
from proxy.outcome import COMPLETED

if TYPE_CHECKING:  # SQLAlchemy is an extra, and slow to import where no store is wanted
    from proxy.diagnostics.stories.store import Store

TICK: Final = 1.0
OPENING: Final = 1.0
"""Seconds until the store is open, where we end just after we began."""
CLOSING: Final = 5.0
"""Seconds that the store may take for what still waits when we end."""


class Diagnostics:
    """Raises StoreMissingError when made with a store that cannot be had."""

    def __init__(
        self,
        rules: DiagnosticsRules,
        *,
        tell: EmitEvent,
        system_state: Callable[[], SystemState] = SystemState,
        service: str = "sidelight",
        worker: int = 0,
        holders: Holders | None = None,
    ) -> None:
        self._rules, self._tell, self._system_state = rules, tell, system_state
        self._desk = Desk(rules.own_fields, lambda x: is_slow(x, self._rules.stories.slow))
        self._holders = holders
        self._recent = Recent(rules.stories.memory, worker, self._desk.complete, rules.instance)
        self._links = TraceLinks(rules.trace_link, self._recent.traces)
        self._groups = Groups()
        self._errors = ErrorsView(self._groups, rules.instance, lambda: others_of(self._store))
        self._results: Counter[tuple[str, str]] = Counter()
        self._notifier = Notifier(rules.alerts.webhooks, service, self._results)
        self._watch = AlertWatch(
            rules.alerts, tell, self._whole_state, self._receivers(), self._results
        )
        self._watch.fleet = lambda: standing(self._store, rules.instance)
        self._notifier.delivered = self._watch.delivered
        self._store = open_store(rules.store, tell, worker, self._desk, rules.instance)
        self._lookup = StoryLookup(self._recent, self._store, rules.store.sample)
        self._tail = Tail(rules.instance)
        self._ticking: asyncio.Task[None] | None = None
        self._is_restored, self._renewals = False, 0

    def take(self, rules: DiagnosticsRules, known: Collection[str]) -> None:
        """Keep, judge and send by other rules from now on; the store stays where it is.

        `known` are the names of the routes and upstreams that there are.
        """
        self._rules = rules
        self._desk.take(rules.own_fields)
        self._recent.resize(rules.stories.memory)
        self._lookup.sample = rules.store.sample
        self._notifier.take(rules.alerts.webhooks)
        self._watch.take(rules.alerts, self._receivers(), known)
        if self._store is not None:
            self._store.take(rules.store)

    def closed(self, batch: Sequence[Exchange]) -> None:
        """Keep exchanges that have ended and that nobody will change any more."""
        self._watch.add(batch)
        self._tail.add(batch)
        troubled: list[Exchange] = []
        rest: list[Exchange] = []
        slow = self._rules.stories.slow
        for x in batch:
            if x.outcome is not COMPLETED:
                self._groups.add(x)
            (troubled if may_be_asked_for(x, slow) else rest).append(x)
        held = self._holders.of_all(batch, troubled) if troubled and self._holders else {}
        size = self._recent.add(troubled, rest)
        self._desk.add(batch, held, size, troubled=bool(troubled))
        if self._store is not None:
            share = self._rules.store.sample
            kept = troubled + [x for x in rest if in_sample(x.request_id, share)]
            if kept:
                self._store.put(kept)

    def tick(self, now: float, wall: float) -> None:
        """Judge the alerts and have errors saved. Quick; once a second is often enough."""
        self._watch.tick(now, wall)
        if self._store is not None:
            self._save(self._store)

    def _save(self, store: "Store") -> None:
        database = store.database
        if database.restored is not None and not self._is_restored:
            self._groups.restore(database.restored)
            self._desk.restore_usual(database.usual)
        self._is_restored = database.restored is not None
        if database.renewals != self._renewals:
            self._renewals = database.renewals
            self._groups.save_all_again()
        if self._is_restored:  # until then what is saved would replace what is not read yet
            store.put_groups([copied(group) for group in self._groups.unsaved()])

    async def start(self) -> None:
        """Begin to write, to judge and to send."""
        if self._store is not None:
            self._store.start()
        self._notifier.start()
        self._begin_ticking()

    async def stop(self) -> None:
        """Judge a last time, write what waits, as long as that is quick, and end."""
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait({self._ticking})
            self._ticking = None
            if self._store is not None:
                await asyncio.to_thread(self._store.opened, OPENING)
            self.tick(clock.now(), clock.wall())
            self._desk.save_usual()
            await asyncio.to_thread(self._settle)
        await self._notifier.stop()
        if self._store is not None:
            self._store_the_rest(self._store)
            await asyncio.to_thread(self._store.close, CLOSING)

    def _store_the_rest(self, store: "Store") -> None:
        """What is in memory only ends with us: have as much of it stored as there is room for."""
        rule, good = self._rules.store, self._recent.successes()
        unstored = (x for x in good if not in_sample(x.request_id, rule.sample))
        newest = list(islice(unstored, max(0, rule.queue - store.queued)))
        store.put(reversed(newest))

    async def story(self, request_id: str, *, across: bool = False) -> FoundStories:
        """Every story of this ID, or why there is none; compared `across` all instances."""
        found = await self._lookup.story(request_id, across=across)
        self._links.add_to_stories(found.stories)
        return found

    async def parted(self, request_id: str, good: str | None) -> dict[str, object] | str:
        """Where two stories part; the ID of which there is none. Without `good` the nearest one."""
        return await parted(self, request_id, good)

    async def stories(self, query: Query) -> FoundStories:
        """Summaries of what is asked for."""
        return await self._lookup.stories(query)

    async def tail(self, cursor: int | None, query: Query, wait: float) -> Followed:
        """What ended after `cursor` (None: now), once there is some, or `wait` seconds are over."""
        return await self._tail.wait(cursor, query, wait)

    def errors(self, wall: float) -> dict[str, object]:
        """All groups of errors, the latest first, and the summary of a day."""
        return self._errors.all(wall)

    def error(self, fingerprint: str, wall: float) -> dict[str, object] | None:
        """One group, with the stack trace if it is a fault of ours."""
        return self._errors.one(fingerprint, wall)

    def order_error(self, fingerprint: str, order: GroupOrder) -> bool:
        return self._groups.order(fingerprint, order)

    def alerts(self, wall: float) -> list[dict[str, object]]:
        """Raised ones first, then those cleared within a day."""
        return self._links.with_traces(self._watch.alerts(wall))

    def silence(self, rule: str, until: float) -> bool:
        """Tell nobody of `rule` until then (wall time; 0 ends it). False: there is no such rule."""
        return self._watch.silence(rule, until)

    async def alert_test(self) -> list[dict[str, str]]:
        """Send a test to every receiver and say how each took it."""
        alert = trial(clock.iso(clock.wall()), self._rules.alerts.runbooks or "")
        return await self._notifier.test(Message("test", alert))

    def store_state(self) -> dict[str, object]:
        """How the store is."""
        return state_of(self._store)

    def readings(self) -> Iterator[Sample]:
        """For the metrics."""
        if self._store is not None:
            yield from store_samples(self._store.dropped)
        yield from alert_samples(self._results)

    def _begin_ticking(self) -> None:
        self._ticking = asyncio.create_task(self._tick())
        self._ticking.add_done_callback(self._ticked)

    def _ticked(self, task: asyncio.Task[None]) -> None:
        """A fault of ours must not be the end of all alerts."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._tell("observer_failed", "critical", {"fault": fault_place(fault)})
            self._begin_ticking()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await asyncio.to_thread(self._settle)
            self.tick(clock.now(), clock.wall())

    def _settle(self) -> None:
        """What is done in a thread: of many routes it takes too long for the loop."""
        self._desk.settle()
        store = self._store if self._is_restored else None
        if store is not None and (saved := self._desk.usual_to_save()) is not None:
            store.put_usual(saved)

    def _whole_state(self) -> SystemState:
        system_state = self._system_state()
        if self._store is None:
            return system_state
        return replace(system_state, store_dropped=self._store.dropped.total())

    def _receivers(self) -> Send | None:
        return self._send if self._notifier.has_receivers else None

    def _send(self, event: str, alert: Mapping[str, object]) -> None:
        self._notifier.put(Message(event, *self._links.with_traces([alert])))
