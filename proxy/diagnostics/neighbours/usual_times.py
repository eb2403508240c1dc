"""What is usual, by route: counted as exchanges end, and told beside what was measured."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from proxy.diagnostics.neighbours.telling import Told
from proxy.diagnostics.neighbours.usual import Saved, Usual
from proxy.diagnostics.neighbours.window import Slowness
from proxy.diagnostics.stories.clocks import silence
from proxy.exchange import Exchange
from proxy.observation.record import ms
from proxy.outcome import COMPLETED

_SLOW: Final = 0.9
"""Share of its route that a slow exchange is slower than."""
_ABOVE: Final = 1.06
"""More than what a sketch may be off: what takes as long as all others is not slow."""
_SHARES: Final = (0.5, 0.95)
COUNTED_ALL: Final = 500
"""Exchanges of a second that are counted all; of more, one of each batch."""
_MOST_OFFERED: Final = 4096
"""Batches that wait; of more the oldest are not counted."""
_TUNNEL: Final = 101
_MOST_ROUTES: Final = 1000
"""Routes that are kept; more come only by settings that change, and are forgotten first."""


class UsualTimes:
    """The sketches of all routes. `offer` is for the event loop, all else for one thread."""

    def __init__(self) -> None:
        self._routes: dict[str, Usual] = {}
        self._offered: deque[Sequence[Exchange]] = deque(maxlen=_MOST_OFFERED)
        self._second = 0
        self._all_of = 0
        """Exchanges of that second that are counted all."""

    def offer(self, batch: Sequence[Exchange]) -> None:
        """Have these counted; of very many in a second a part, which says what is usual as well."""
        second = int(batch[-1].ended)
        if second != self._second:
            self._second, self._all_of = second, 0
        self._all_of += len(batch)
        self._offered.append(batch if self._all_of <= COUNTED_ALL else batch[-1:])

    def settle(self) -> None:
        """Count what was offered."""
        while self._offered:
            for x in self._offered.popleft():
                self._add(x)

    def _add(self, x: Exchange) -> None:
        """Count what was completed; how others take is not usual."""
        if x.outcome is not COMPLETED or not x.attempts:
            return
        usual = self._routes.get(x.route)
        if usual is None:
            if len(self._routes) >= _MOST_ROUTES:
                del self._routes[next(iter(self._routes))]
            usual = self._routes[x.route] = Usual()
        wall = x.started_wall + x.ended - x.started
        head = x.attempts[-1].head
        usual.add("stream" if x.streamed else "duration", x.ended - x.started, wall)
        if head is not None:
            usual.add("head", head, wall)
        if x.bytes_out:
            usual.add("size", float(x.bytes_out), wall)
        if x.streamed:
            if x.first_event is not None:
                usual.add("first_event", x.first_event, wall)
            if x.max_gap:
                usual.add("gap", x.max_gap, wall)

    def slowness(self, route: str, wall: float) -> Slowness:
        """Above what an exchange of this route is slow."""
        usual = self._routes.get(route)
        if usual is None:
            return Slowness()
        whole = usual.quantiles("duration", wall, _SLOW)
        first = usual.quantiles("first_event", wall, _SLOW)
        return Slowness(_ABOVE * whole[0] if whole else None, _ABOVE * first[0] if first else None)

    def of(self, x: Exchange) -> Told:
        """Each measure of `x` beside what is usual on its route; empty where too few are known."""
        usual = self._routes.get(x.route)
        if usual is None:
            return {}
        wall = x.started_wall + x.duration
        told: Told = {}
        for measure, value in measured(x).items():
            usually = usual.quantiles(measure, wall, *_SHARES)
            if usually is not None:
                told[_shown(measure)] = _beside(measure, value, usually)
        for measure in missing(x):
            if isinstance(known := told.get(measure), dict):
                known["missing"] = True
        return told

    def saved(self) -> dict[str, Saved]:
        """All of it as plain values, by route."""
        return {route: usual.saved() for route, usual in self._routes.items()}

    def restore(self, saved: Mapping[str, object]) -> None:
        """Add what was saved by the process before."""
        for route, counts in saved.items():
            if isinstance(counts, Mapping):
                self._routes.setdefault(route, Usual()).restore(counts)


def _beside(measure: str, value: float, usually: list[float]) -> Told:
    if measure == "size":
        sizes = [round(each) for each in (value, *usually)]
        return dict(zip(("measured_bytes", "p50_bytes", "p95_bytes"), sizes, strict=True))
    lengths = [ms(each) for each in (value, *usually)]
    return dict(zip(("measured_ms", "p50_ms", "p95_ms"), lengths, strict=True))


def measured(x: Exchange) -> dict[str, float]:
    """What was measured of an exchange, as far as it came; of what is missing, the wait for it."""
    values: dict[str, float] = {"stream" if x.streamed else "duration": x.duration}
    if x.attempts and x.attempts[-1].head is not None:
        values["head"] = x.attempts[-1].head
    if x.streamed:
        if x.first_event is not None:
            values["first_event"] = x.first_event
        elif "first_event" in missing(x):
            values["first_event"] = x.duration
        stalled = 0.0 if x.outcome is COMPLETED or x.first_event is None else silence(x) or 0.0
        if x.max_gap or stalled:
            values["gap"] = max(x.max_gap, stalled)
    if x.bytes_out and x.upstream_status is not None and not x.masked:
        values["size"] = float(x.bytes_out)
    return values


def missing(x: Exchange) -> tuple[str, ...]:
    """What was waited for and had not come when it ended."""
    if x.attempts and x.attempts[-1].status is None:
        return ("head",)
    is_awaited = x.streamed and not x.is_raw and x.upstream_status != _TUNNEL
    return ("first_event",) if is_awaited and x.first_event is None else ()


def _shown(measure: str) -> str:
    return "duration" if measure == "stream" else measure
