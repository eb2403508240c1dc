"""Recent exchanges in memory, bounded by bytes; a story is made of one when somebody asks.

Two shelves, because successes are many: they must not push out the failures that somebody will
ask for. What is put in are the batches themselves, so that an exchange costs next to nothing.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Final

from proxy.diagnostics.stories.around import Complete, leave
from proxy.diagnostics.stories.missing import OldestStory
from proxy.diagnostics.stories.query import SAME_ID, Query, Wanted, ids_of
from proxy.diagnostics.stories.story import Story, brief_of, story_of
from proxy.exchange import Exchange

EXCHANGE_BYTES: Final = 1000
"""What a record and its usual strings take (measured, rounded up)."""

ATTEMPT_BYTES: Final = 300
"""What an attempt takes."""

EVIDENCE_BYTES: Final = 600
"""What was found out at the end of one that was bad or slow, and its texts (measured)."""

AROUND_BYTES: Final = 2000
"""What is found out later around a failure, or one that is slow (measured, rounded up)."""

FIELD_BYTES: Final = 200
"""What a field of the team's own takes besides its value."""


def bytes_of(x: Exchange) -> int:
    """About the memory an exchange holds; clients choose the length of its target and agent."""
    size = EXCHANGE_BYTES + len(x.target) + len(x.user_agent) + len(x.host)
    for attempt in x.attempts:
        size += ATTEMPT_BYTES
        if attempt.upstream_ids:
            size += _bytes_of(attempt.upstream_ids)
    if x.client_request_id:
        size += len(x.client_request_id)
    if x.upstream_request_id:
        size += len(x.upstream_request_id)
    if x.upstream_ids:
        size += _bytes_of(x.upstream_ids)
    if x.detail:
        size += len(x.detail)
    if x.evidence is not None:
        size += EVIDENCE_BYTES
    if x.fault is not None:
        size += len(x.fault.trace)
    if x.fields:
        size += _bytes_of(x.fields)
    return size


def _bytes_of(fields: dict[str, str]) -> int:
    return sum(FIELD_BYTES + len(value) for value in fields.values())


class Shelf:
    """Batches of exchanges, oldest first; the oldest are dropped beyond the limit.

    `extra` is what each of them will take besides what it has already.
    """

    def __init__(self, room: int, extra: int = 0) -> None:
        self._room = room
        self._extra = extra
        self._batches: deque[tuple[Sequence[Exchange], int]] = deque()
        self.size = 0
        """Bytes held, estimated."""

    def add(self, batch: Sequence[Exchange]) -> int:
        """Keep a batch that nobody will change any more; its size in bytes."""
        if not batch:
            return 0
        size = sum(map(bytes_of, batch)) + self._extra * len(batch)
        self._batches.append((batch, size))
        self.size += size
        self.resize(self._room)
        return size

    def resize(self, room: int) -> None:
        """Hold at most `room` bytes from now on."""
        self._room = room
        while self.size > self._room:
            self.size -= self._batches.popleft()[1]

    def newest_first(self) -> Iterator[Exchange]:
        """Every exchange held."""
        for batch, _ in reversed(self._batches):
            yield from reversed(batch)

    @property
    def oldest(self) -> OldestStory | None:
        """None: it is empty."""
        if not self._batches:
            return None
        x = self._batches[0][0][0]
        return OldestStory(x.request_id, x.started_wall + x.duration)


class Recent:
    """What this process remembers; `room` in bytes.

    `complete` finds out what happened around an exchange that is asked for.
    """

    def __init__(
        self,
        room: int,
        worker: int = 0,
        complete: Complete = leave,
        instance: str = "",
    ) -> None:
        self._troubled = Shelf(room // 2, AROUND_BYTES)
        self._rest = Shelf(room - room // 2)
        self._worker, self._instance = worker, instance
        self._complete = complete

    def resize(self, room: int) -> None:
        """Hold at most `room` bytes from now on."""
        self._troubled.resize(room // 2)
        self._rest.resize(room - room // 2)

    def add(self, troubled: Sequence[Exchange], rest: Sequence[Exchange]) -> int:
        """Keep exchanges that have ended: failures and slow ones, and all others; their size."""
        return self._troubled.add(troubled) + self._rest.add(rest)

    def records(self, *asked: str) -> list[Exchange]:
        """The exchanges under one of these IDs, newest first: a client may use an ID twice."""
        wanted = Wanted(*asked)
        forms = wanted.forms
        found = [
            x for x in self._all() if x.request_id in forms or (_has_others(x) and wanted.names(x))
        ]
        found.sort(key=_ended, reverse=True)
        return found[:SAME_ID]

    def beginning(self, starts: tuple[str, ...], most: int) -> set[str]:
        """Reference IDs of up to `most` exchanges with an ID that begins so."""
        found: set[str] = set()
        for x in self._all():
            if len(found) < most and any(known.startswith(starts) for known in ids_of(x)):
                found.add(x.request_id)
        return found

    @property
    def oldest_failure(self) -> OldestStory | None:
        """None: there is none, or slow one."""
        return self._troubled.oldest

    @property
    def oldest_success(self) -> OldestStory | None:
        """None: there is none."""
        return self._rest.oldest

    def successes(self) -> Iterator[Exchange]:
        """Those that were neither failures nor slow, newest first."""
        return self._rest.newest_first()

    def told(self, records: Sequence[Exchange]) -> list[Story]:
        """Their stories. Looks at no shelf, so another thread may do it."""
        for x in records:
            self._complete(x)
        worker, instance = self._worker, self._instance
        return [story_of(x, worker=worker, instance=instance) for x in records]

    def traces(self, wanted: Collection[str]) -> dict[str, str]:
        """The traces of the exchanges with these IDs; of those alone that belong to one."""
        return {
            x.request_id: x.trace_id
            for x in self._all()
            if x.request_id in wanted and x.span_context
        }

    def search(self, query: Query) -> list[Story]:
        """Summaries of what is asked for, newest first; looks no further than it must."""
        shelves = (self._troubled.newest_first(), self._rest.newest_first())
        newest_first = merge(*shelves, key=_ended, reverse=True)
        found = (x for x in newest_first if query.takes(x, self._instance))
        return [brief_of(x, self._instance) for x in islice(found, query.limit)]

    def _all(self) -> Iterator[Exchange]:
        yield from self._troubled.newest_first()
        yield from self._rest.newest_first()


def _has_others(x: Exchange) -> bool:
    """Whether somebody else gave it an ID, too: most have none, and are passed over quickly."""
    if x.span_context:
        return True
    if x.client_request_id is not None or x.upstream_ids is not None:
        return True
    return any(attempt.upstream_ids is not None for attempt in x.attempts)


def _ended(x: Exchange) -> float:
    return x.ended
