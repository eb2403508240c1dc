"""The exchanges that ended last, for whoever follows them: a ring of batches with numbers.

Costs an exchange nothing: the batches are those that others keep as well.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.story import Story, brief_of
from proxy.exchange import Exchange

KEPT: Final = 1000
"""Exchanges for those who come late; older ones are said to be missed."""
MOST_WAITING: Final = 50
"""Who may wait for the next ones at once."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What has ended since somebody asked last, oldest first."""

    stories: list[Story]
    cursor: int
    """What to ask with the next time."""
    missed: int
    """Exchanges in between that are kept no more, or that were more than asked for."""


class Tail:
    """Used by the event loop only."""

    def __init__(self, instance: str = "") -> None:
        self._instance = instance
        self._batches: deque[tuple[int, Sequence[Exchange]]] = deque()
        """Each with the number of its first exchange."""
        self._next = 0
        self._kept = 0
        self._news = asyncio.Event()
        self._waiting = 0

    def add(self, batch: Sequence[Exchange]) -> None:
        """These have ended, and nobody will change them any more."""
        if not batch:
            return
        self._batches.append((self._next, batch))
        self._next += len(batch)
        self._kept += len(batch)
        while self._kept - len(self._batches[0][1]) >= KEPT:
            self._kept -= len(self._batches.popleft()[1])
        if self._waiting:
            self._news.set()

    def after(self, cursor: int | None, query: Query) -> Followed:
        """What ended after `cursor`; None: from now on."""
        since = self._next if cursor is None else min(cursor, self._next)
        first = self._batches[0][0] if self._batches else self._next
        found = [
            x
            for number, batch in self._batches
            if number + len(batch) > since
            for n, x in enumerate(batch, number)
            if n >= since and query.takes(x, self._instance)
        ]
        shown = found[-query.limit :]
        missed = max(0, first - since) + len(found) - len(shown)
        return Followed([brief_of(x, self._instance) for x in shown], self._next, missed)

    async def wait(self, cursor: int | None, query: Query, seconds: float) -> Followed:
        """The same, once there is something, or the time is over, or too many wait already."""
        cursor = self._next if cursor is None else cursor
        found = self.after(cursor, query)
        if found.stories or self._waiting >= MOST_WAITING:
            return found
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                while not found.stories:
                    self._news.clear()
                    await self._news.wait()
                    found = self.after(cursor, query)
        except TimeoutError:
            found = self.after(cursor, query)
        finally:
            self._waiting -= 1
        return found
