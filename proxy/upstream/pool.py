"""How many connections an upstream may have at once, and who waits for one.

A slot is held from before the connect until the connection is closed, and each endpoint may hold
its share of them. When one becomes free it goes to whoever waited longest, as does a connection
whose exchange is over; so while somebody waits, nothing lies idle and nobody overtakes.
"""

import asyncio
import math
from collections import deque
from dataclasses import dataclass

from proxy.timing.silence import SilenceTimeout
from proxy.upstream.choice import Choice
from proxy.upstream.connection import Connection
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.rules import PoolRule
from proxy.upstream.states import IDLE

_LEAST_SWEEP = 0.05
"""Seconds between two looks at the idle connections at least."""


@dataclass(frozen=True, slots=True)
class PoolView:
    """How a pool stands."""

    size: int
    """Connections it may have."""
    in_use: int
    """Carrying an exchange or being made."""
    idle: int
    waiting: int
    """Exchanges waiting for a slot."""
    oldest_age: float
    """Seconds since the oldest connection was made; 0 where there is none."""


class SlotWaiter:
    """One exchange that waits."""

    __slots__ = ("choice", "future")

    def __init__(self, choice: Choice, future: asyncio.Future[Connection | None]) -> None:
        self.choice = choice
        self.future = future


class Pool:
    """Slots and idle connections of one upstream; the owner of its connections."""

    def __init__(self, rule: PoolRule, endpoints: Endpoints) -> None:
        self._rule = rule
        self._keep_alive, self._max_age = rule.keep_alive, rule.max_age
        self._endpoints = endpoints
        self._connections: set[Connection] = set()
        self._slots_taken = 0
        self._waiters: deque[SlotWaiter] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied = asyncio.Event()
        self.is_closed = False
        self.is_retired = False
        """Whether nothing is kept any more; who still has exchanges may go on."""
        self.stale_connections = 0
        """Reused connections that turned out to be closed."""

    def take(self, endpoint: Endpoint) -> Connection | None:
        """The most recently used idle connection, or None."""
        idle = endpoint.idle
        while idle:
            connection = idle.popitem()[0]
            if connection.loop.time() < connection.fresh_until and connection.rise():
                return connection
            connection.abort()
        return None

    def reserve(self, endpoint: Endpoint) -> bool:
        """Take a slot for an endpoint, if one of its share is free.

        Give it back by `free`, unless `add` takes it over.
        """
        if self._slots_taken >= self._rule.size or endpoint.slots >= endpoint.share:
            return False
        self._slots_taken += 1
        endpoint.slots += 1
        return True

    @property
    def has_room_to_wait(self) -> bool:
        return len(self._waiters) < self._rule.max_waiting

    async def wait(
        self, choice: Choice, silence: float, limit: float = math.inf
    ) -> Connection | None:
        """In turn, a connection, or None: then a slot is taken, for an endpoint yet to be named.

        Raises TimeoutError. Whoever leaves early has taken nothing.
        """
        future: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        waiter = SlotWaiter(choice, future)
        self._waiters.append(waiter)
        try:
            async with SilenceTimeout(silence, limit):
                return await future
        except (asyncio.CancelledError, TimeoutError):
            self._leave(waiter)
            raise

    def add(self, connection: Connection) -> None:
        """It was made in a slot and keeps it until it is closed."""
        if connection.is_closed:
            self.free(connection.target)
        else:
            self._connections.add(connection)

    def free(self, endpoint: Endpoint | None) -> None:
        """Give a slot back; None: one for which no endpoint was named."""
        if endpoint is not None:
            endpoint.slots -= 1
        if not self._give(None):
            self._slots_taken -= 1

    def keep(self, connection: Connection) -> None:
        now = connection.link.rested_at = connection.loop.time()
        endpoint = connection.target
        fresh_until, oldest = now + self._keep_alive, connection.opened_at + self._max_age
        if fresh_until > oldest:
            fresh_until = oldest
        connection.fresh_until = fresh_until
        if fresh_until <= now or self.is_closed or not endpoint.keeps_idle:
            connection.abort()
        elif not self._waiters:
            self._lay_idle(connection)
        elif not connection.is_silent:
            connection.abort()
        elif self._is_refused(endpoint):
            connection.abort()  # its slot goes to whoever waited longest, for another endpoint
        elif not self._give(connection):
            self._lay_idle(connection)

    def on_closed(self, connection: Connection) -> None:
        if connection not in self._connections:
            return  # it was lost before it was made: who connects has the slot
        self._connections.discard(connection)
        if self.is_closed and not self._connections:
            self._emptied.set()
        connection.target.idle.pop(connection, None)
        self.free(connection.target)

    def make_room(self) -> None:
        """Close the idle connection that was used least recently, of any endpoint: in a moment
        its slot goes to whoever waits."""
        idle = [next(iter(each.idle)) for each in self._endpoints.all if each.idle]
        if idle:
            min(idle, key=lambda each: each.fresh_until).abort()

    def close_idle(self, endpoint: Endpoint) -> None:
        while endpoint.idle:
            endpoint.idle.popitem()[0].abort()

    def retire(self) -> None:
        """Keep nothing from now on, nor what clients keep for themselves; the rest may end."""
        self.is_retired = True
        for connection in tuple(self._connections):
            if connection.protocol.state == IDLE:
                connection.abort()

    async def close(self) -> None:
        """Close every connection, those in use as well."""
        self.is_closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in tuple(self._connections):
            connection.abort()
        if self._connections:
            await self._emptied.wait()

    def view(self) -> PoolView:
        idle = sum(len(endpoint.idle) for endpoint in self._endpoints.all)
        oldest = min(self._connections, key=lambda each: each.opened_at, default=None)
        return PoolView(
            size=self._rule.size,
            in_use=self._slots_taken - idle,
            idle=idle,
            waiting=len(self._waiters),
            oldest_age=oldest.loop.time() - oldest.opened_at if oldest else 0.0,
        )

    def _give(self, connection: Connection | None) -> bool:
        """Wake whoever waited longest with a connection or, by None, a slot."""
        while self._waiters:
            future = self._waiters.popleft().future
            if not future.done():
                if connection is not None:
                    connection.take()
                future.set_result(connection)
                return True
        return False

    def _is_refused(self, endpoint: Endpoint) -> bool:
        """Whether whoever waited longest wants no connection to this one."""
        while self._waiters and self._waiters[0].future.done():
            self._waiters.popleft()
        return len(self._waiters) > 0 and self._waiters[0].choice.refuses(endpoint)

    def _lay_idle(self, connection: Connection) -> None:
        if self.is_retired:
            connection.abort()
            return
        connection.target.idle[connection] = None
        if self._sweeper is None:
            self._sweeper = connection.loop.call_later(self._rule.keep_alive, self._sweep)

    def _leave(self, waiter: SlotWaiter) -> None:
        """Stop waiting; what was given in the same moment goes to the next."""
        future = waiter.future
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if future.cancelled() or not future.done():
            return
        connection = future.result()
        if connection is None:
            self.free(None)
        else:
            connection.release()

    def _sweep(self) -> None:
        """Close what has idled too long, and look again when the next one will have."""
        self._sweeper = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        soonest = math.inf
        for endpoint in self._endpoints.all:
            for connection in tuple(endpoint.idle):
                if connection.fresh_until <= now:
                    del endpoint.idle[connection]
                    connection.abort()
                else:
                    soonest = min(soonest, connection.fresh_until)
        if soonest < math.inf:
            self._sweeper = loop.call_later(max(soonest - now, _LEAST_SWEEP), self._sweep)
