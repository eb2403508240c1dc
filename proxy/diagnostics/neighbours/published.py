"""Rows that instances publish to each other, ten seconds of one route at a time.

Of very many some are kept, chosen by their IDs and so at random; how many there were is kept.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final, Protocol, TypeVar
from zlib import crc32

import orjson

from proxy.diagnostics.neighbours.ring import Ring
from proxy.diagnostics.neighbours.rows import FIELDS, ComparedRow
from proxy.diagnostics.neighbours.window import Value
from proxy.exchange import Exchange

SLOT: Final = 10.0
"""Seconds of one piece."""
GOOD: Final = 64
BAD: Final = 128
"""Rows of one piece that are kept, of each kind."""
MOST_ROWS: Final = 1500
"""Rows that are compared with one another: it bounds how long a question takes."""

_ID: Final = 4
_KIND: Final = 6
"""Where they stand in a row that was published."""

AnyRow = TypeVar("AnyRow")


@dataclass(frozen=True, slots=True)
class RecentRows:
    """What an instance knows of its own latest exchanges. Times are of the clock that never
    jumps."""

    fields: tuple[str, ...] = FIELDS
    rows: Sequence[ComparedRow] = ()
    """Of the routes that are of interest, oldest first."""
    troubled: Collection[str] = ()
    """Routes on which something ended badly or slowly within the last minute."""
    lost_until: float = -inf
    """The end of the latest row that had to go."""


def recent_rows(
    fields: tuple[str, ...],
    ring: Ring,
    routes: Collection[str],
    troubled: Collection[str],
) -> RecentRows:
    """Rows of routes that have trouble, and of these others."""
    wanted = {*routes, *troubled}
    rows = [row for row in ring.newest_first() if row.route in wanted] if wanted else []
    return RecentRows(fields, rows[::-1], set(troubled), ring.lost_until)


class RowSource(Protocol):
    """Gives the latest rows of the routes that have trouble, and of these others."""

    def __call__(self, routes: Collection[str], /) -> RecentRows: ...


def no_rows(_routes: Collection[str], /) -> RecentRows:
    """Knows none."""
    return RecentRows()


@dataclass(frozen=True, slots=True)
class RouteSlot:
    """One piece, as it was published. Times are wall time."""

    instance: str
    fields: tuple[str, ...]
    counts: Mapping[str, int]
    """How many there were of each kind; of good ones it is empty."""
    rows: Sequence[tuple[ComparedRow, Mapping[str, Value]]]
    at_least: bool
    """Whether there were more."""


def slot_of(ended: float) -> int:
    """The piece of an exchange that ended at this wall time."""
    return int(ended // SLOT)


def to_text(
    fields: Sequence[str], rows: Sequence[ComparedRow], offset: float, *, at_least: bool
) -> str:
    """A piece, to be published; `offset` makes wall time of the clock that never jumps."""
    kinds: dict[str, list[ComparedRow]] = {}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row)
    kept = [
        row
        for kind, some in kinds.items()
        for row in _some(some, BAD if kind else GOOD, lambda row: row.request_id)
    ]
    numbers: dict[Value, int] = {}
    told = [
        [
            round(row.ended + offset, 3), round(row.lasted, 4), round(row.pace, 4), row.streamed,
            row.request_id, row.upstream, row.kind, row.is_cut,
            [numbers.setdefault(value, len(numbers)) for value in row.values],
        ]
        for row in kept
    ]  # fmt: skip
    counts = {kind: len(some) for kind, some in kinds.items()}
    body = {"fields": fields, "counts": counts, "values": list(numbers), "rows": told,
            "at_least": at_least}  # fmt: skip
    return orjson.dumps(body).decode()


def from_texts(route: str, texts: Iterable[tuple[str, str]], asked: str) -> list[RouteSlot]:
    """Pieces again, each with its instance; what is of no form that is known is passed over.

    Of more rows than MOST_ROWS some are taken, and among them always that of the ID `asked`.
    """
    bodies = [(instance, body) for instance, text in texts if (body := _body(text)) is not None]
    total = sum(len(body["rows"]) for _, body in bodies)
    most = max(GOOD, BAD) if total <= MOST_ROWS else MOST_ROWS // (2 * len(bodies)) + 1
    found = [_slot(instance, route, body, most, asked) for instance, body in bodies]
    return [slot for slot in found if slot is not None]


def _body(text: str) -> dict[str, Any] | None:
    try:
        body = orjson.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("rows"), list) else None


def _slot(
    instance: str, route: str, body: dict[str, Any], most: int, asked: str
) -> RouteSlot | None:
    try:
        fields, values = tuple(map(str, body["fields"])), body["values"]
        counts = {str(kind): int(n) for kind, n in body["counts"].items()}
        kinds: dict[str, list[list[object]]] = {kind: [] for kind in counts}
        for told in body["rows"]:
            kinds[told[_KIND]].append(told)
        kept = [each for some in kinds.values() for each in _some(some, most, _id_of, asked)]
        rows = [_row(route, fields, values, told) for told in kept]
        return RouteSlot(instance, fields, counts, rows, bool(body["at_least"]))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def _row(
    route: str, fields: tuple[str, ...], values: list[Value], told: list[object]
) -> tuple[ComparedRow, Mapping[str, Value]]:
    ended, lasted, pace, streamed, request_id, upstream, kind, is_cut, numbers = told
    x = Exchange(float(ended) - float(lasted), 0.0, "", "", "")  # type: ignore[arg-type]
    x.ended, x.streamed, x.first_event = float(ended), bool(streamed), float(pace)  # type: ignore[arg-type]
    x.request_id, x.route, x.upstream = str(request_id), route, str(upstream)
    had = tuple([values[n] for n in numbers])  # type: ignore[attr-defined]
    row = ComparedRow(x, had, str(kind), (), is_cut=bool(is_cut))
    return row, dict(zip(fields, had, strict=True))


def _id_of(told: list[object]) -> str:
    return str(told[_ID])


def _some(
    rows: Sequence[AnyRow], most: int, id_of: Callable[[AnyRow], str], asked: str = ""
) -> Sequence[AnyRow]:
    """At most so many, whatever they are: that of an ID, and others by a checksum of theirs."""
    if len(rows) <= most:
        return rows

    def drawn(row: AnyRow) -> tuple[bool, int]:
        request_id = id_of(row)
        return request_id != asked, crc32(request_id.encode("utf-8", "replace"))

    return sorted(rows, key=drawn)[:most]
