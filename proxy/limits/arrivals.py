"""What is kept of each key, in bounded memory.

A key at rest is worth nothing: to forget it changes no decision, so those go first. Each new key
looks at a few of the oldest; where none of them is at rest and there is no room, the one that would
be at rest soonest goes. So a flood of new keys does not free those who are at their limit.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Final

_LOOKS: Final = 8
"""Old keys that a new one looks at."""


class Arrivals(ABC):
    """Where the theoretical arrival time of each key is kept: here, or one day in a shared store.

    It must answer from memory, because it is asked on the way of every request. No protocol: what
    is compiled calls a base class several times faster.
    """

    def __init__(self) -> None:
        self.times: dict[int, int] = {}
        """What is kept of each key, in ticks; only `put` changes it."""

    @abstractmethod
    def put(self, key: int, arrival: int, at: int) -> None:
        """Keep the arrival time of a key; `at` is now, by which others may be at rest."""


class LocalArrivals(Arrivals):
    """The keys of one limit, at most `room` of them."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self._order: deque[int] = deque()
        """Every key once, in the order in which they were last looked at."""

    def __len__(self) -> int:
        return len(self.times)

    def put(self, key: int, arrival: int, at: int) -> None:
        times = self.times
        is_new = key not in times
        times[key] = arrival
        if is_new:
            self._make_room(at)
            self._order.append(key)

    def _make_room(self, at: int) -> None:
        times, order = self.times, self._order
        kept: list[int] = []
        for _ in range(min(_LOOKS, len(order))):
            key = order.popleft()
            if times[key] > at:
                kept.append(key)
            else:
                del times[key]
        if len(times) > self._room:  # then none was at rest, and `kept` is all that was looked at
            soonest = min(kept, key=times.__getitem__)
            kept.remove(soonest)
            del times[soonest]
        order.extend(kept)
