"""How many requests may be under way at once, and who waits for a place.

The queue is fair between clients: places that become free go to each waiting client in turn, and
where the queue is full the client with most requests in it gives one up for a client with fewer.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal

State = Literal["granted", "waiting", "client_full", "full", "left"]
"""`client_full`: the client has as many as it may have; `full`: there is no room for it at all."""


class Ticket:
    """One request that asked for a place; give it back by `leave`, whatever became of it."""

    __slots__ = ("client", "places", "state", "wake")

    def __init__(self, places: "Places", client: int, state: State) -> None:
        self.places = places
        self.client = client
        self.state: State = state
        self.wake: Callable[[], None] | None = None
        """Called when a waiting ticket is granted or pushed out."""

    def turn(self, state: State) -> None:
        self.state = state
        if self.wake is not None:
            self.wake()


class Places:
    """`limit` places, `per_client` of them for one client, and a queue for `room` more."""

    def __init__(self, limit: int | None, per_client: int | None = None, room: int = 0) -> None:
        self.limit = limit
        self.per_client = per_client
        self.room = room
        self.in_use = 0
        self.waiting = 0
        self._of: dict[int, int] = {}
        """Requests of each client, under way and waiting."""
        self._queues: dict[int, deque[Ticket]] = {}
        """Waiting requests of each client; the next client in turn stands first."""

    def ask(self, client: int) -> Ticket:
        """A place, a place in the queue, or the reason why there is none."""
        has = self._of.get(client, 0)
        if self.per_client is not None and has >= self.per_client:
            return Ticket(self, client, "client_full")
        if self.limit is None or self.in_use < self.limit:
            self.in_use += 1
            self._of[client] = has + 1
            return Ticket(self, client, "granted")
        if self.waiting >= self.room and not self._push_out_for(client):
            return Ticket(self, client, "full")
        self._of[client] = has + 1
        ticket = Ticket(self, client, "waiting")
        self._queues.setdefault(client, deque()).append(ticket)
        self.waiting += 1
        return ticket

    def resize(self, limit: int | None, per_client: int | None, room: int) -> None:
        """Have other bounds from now on; whoever is in or waits keeps what it has."""
        self.limit, self.per_client, self.room = limit, per_client, room
        while self.waiting and self._is_free:
            self._grant_next()

    def leave(self, ticket: Ticket) -> None:
        """The request is over, or does not wait any longer. A second time does nothing."""
        if ticket.state == "granted":
            self.in_use -= 1
            left = self._of[ticket.client] - 1
            if left:
                self._of[ticket.client] = left
            else:
                del self._of[ticket.client]
            if self.waiting and self._is_free:
                self._grant_next()
        elif ticket.state == "waiting":
            self._withdraw(ticket)
            self._forget(ticket)
        ticket.state = "left"

    @property
    def _is_free(self) -> bool:
        return self.limit is None or self.in_use < self.limit

    def _forget(self, ticket: Ticket) -> None:
        left = self._of[ticket.client] - 1
        if left:
            self._of[ticket.client] = left
        else:
            del self._of[ticket.client]

    def _grant_next(self) -> None:
        for client, queue in self._queues.items():
            ticket = queue.popleft()
            self.waiting -= 1
            self.in_use += 1
            del self._queues[client]
            if queue:
                self._queues[client] = queue  # behind all others
            ticket.turn("granted")
            return

    def _withdraw(self, ticket: Ticket) -> None:
        queue = self._queues[ticket.client]
        queue.remove(ticket)
        self.waiting -= 1
        if not queue:
            del self._queues[ticket.client]

    def _push_out_for(self, client: int) -> bool:
        """Make room for a client that has fewer requests in the queue than another one."""
        if not self._queues:
            return False
        most = max(self._queues.values(), key=len)
        if len(most) <= len(self._queues.get(client, ())) + 1:
            return False
        last = most[-1]
        self._withdraw(last)
        self._forget(last)
        last.turn("full")
        return True
