"""Who held the places when an exchange was refused one: a snapshot of what is under way.

It is taken as the refusal is recorded, only then, and at most four times a second for one pool.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from proxy import outcome as o
from proxy.diagnostics.neighbours.limited_by import limited_by
from proxy.diagnostics.neighbours.telling import Told
from proxy.diagnostics.stories.words import count, lasting
from proxy.exchange import Exchange
from proxy.limits.places import Places
from proxy.observation.record import RESERVED, ms
from proxy.observation.redaction import redact, redact_target
from proxy.time_spent import PAUSE, QUEUE

REFUSALS: Final = (
    o.POOL_TIMEOUT,
    o.CONCURRENCY_LIMITED,
    o.QUEUE_TIMEOUT,
    o.CLIENT_CONCURRENCY_LIMITED,
)
"""Outcomes of those who got no place."""

MOST_NAMED: Final = 3
_MOST: Final = 0.5
"""Share of the places from which one that has them is named."""
_AGAIN: Final = 0.25
"""Seconds for which a snapshot stands for the next refusals by the same."""
_HOLDS: Final = ("C", "W", "H", "F", "S")
"""Phases in which an exchange has a connection."""
_OVERALL: Final = "listen.concurrency"
_PER_CLIENT: Final = "concurrency.per_client"

UnderWay = Callable[[], Iterable[Exchange]]
StandingOf = Callable[[Exchange], Told]
"""How the pool or the places stand that refused an exchange: sizes, in use, waiting."""


class PoolStanding(Protocol):
    """A pool, as it stands."""

    @property
    def size(self) -> int: ...
    @property
    def in_use(self) -> int: ...
    @property
    def waiting(self) -> int: ...


def pool_standing(pool: PoolStanding) -> Told:
    """A pool as stories tell it."""
    return {"size": pool.size, "in_use": pool.in_use, "waiting": pool.waiting}


def place_standing(places: Places | None) -> Told:
    """The places of a limit as stories tell them."""
    if places is None or places.limit is None:
        return {}
    return {"size": places.limit, "in_use": places.in_use, "waiting": places.waiting}


class Holders:
    """`running` gives what is under way, `places` how many places there are."""

    def __init__(self, running: UnderWay, places: StandingOf) -> None:
        self._running, self._places = running, places
        self._latest: dict[tuple[str, ...], tuple[float, Told]] = {}

    def of_all(self, batch: Sequence[Exchange], troubled: Sequence[Exchange]) -> dict[int, Told]:
        """The same of all that had trouble, by identity."""
        held = ((id(x), self.of(x, batch)) for x in troubled)
        return {key: told for key, told in held if told is not None}

    def of(self, x: Exchange, batch: Sequence[Exchange]) -> Told | None:
        """Who had what `x` did not get; None where it was not refused for want of a place.

        `batch` is what ended with it: what ended after it had its place still.
        """
        if x.outcome not in REFUSALS:
            return None
        scope = _scope(x)
        known = self._latest.get(scope)
        if known is not None and 0 <= x.ended - known[0] < _AGAIN:
            return known[1]
        late = (each for each in batch if each.ended > x.ended)
        holding = [
            each for each in (*self._running(), *late)
            if each is not x and each.started <= x.ended and _holds(each, scope)
        ]  # fmt: skip
        told = {"by": scope[0], **self._places(x), **_table(holding, x.ended)}
        told["words"] = _words(told, holding, x)
        told |= _likely(told, holding, x)
        self._latest[scope] = (x.ended, told)
        return told


def _scope(x: Exchange) -> tuple[str, ...]:
    """Who refused, and what counts for it; of the client's own limit what is of that client."""
    if x.outcome is o.POOL_TIMEOUT:
        return "pool", x.upstream
    if x.outcome is o.CLIENT_CONCURRENCY_LIMITED:
        by = limited_by(x)
        return _PER_CLIENT, x.route, by, _told_of(x, by)
    if (x.detail or "").startswith(_OVERALL):
        return (_OVERALL,)
    return "concurrency.limit", x.route


def _holds(x: Exchange, scope: tuple[str, ...]) -> bool:
    """Whether it has one of the places of that scope."""
    is_waiting = x.spent.part == QUEUE and not x.ended
    if scope[0] == "pool":
        has_one = x.phase in _HOLDS and x.spent.part != PAUSE
        return x.upstream == scope[1] and has_one and not is_waiting
    if scope[0] == _PER_CLIENT:
        return x.route == scope[1] and _told_of(x, scope[2]) == scope[3]
    return not is_waiting and (scope[0] == _OVERALL or x.route == scope[1])


def _told_of(x: Exchange, by: str) -> str:
    """What tells its client from others for a limit `by` an address or a field; empty where no
    record says that."""
    return x.client_ip if by == "address" else x.fields.get(by, "")


def user_of(x: Exchange) -> str:
    """Who asked, as it may be told: the first of the team's own fields, else the address."""
    for name, value in x.fields.items():
        if name not in RESERVED:
            return f"{name} {redact(value)}"
    return f"client {x.client_ip}"


def _table(holding: Sequence[Exchange], at: float) -> Told:
    oldest = sorted(holding, key=lambda each: each.started)[:MOST_NAMED]
    return {
        "holders": len(holding),
        "by_route": most_named(f"route {each.route or 'none'}" for each in holding),
        "by_user": most_named(user_of(each) for each in holding),
        "by_endpoint": most_named(_endpoint(each) for each in holding),
        "oldest": [
            {"request_id": redact(each.request_id), "age_ms": ms(at - each.started),
             "route": each.route, "user": user_of(each), "path": redact_target(each.target)}
            for each in oldest
        ],
    }  # fmt: skip


def _endpoint(x: Exchange) -> str:
    return (x.attempts[-1].endpoint if x.attempts else "") or "none"


def most_named(names: Iterable[str]) -> dict[str, int]:
    """The most frequent of them, and how often each came."""
    return dict(Counter(names).most_common(MOST_NAMED))


def _words(told: Told, holding: Sequence[Exchange], x: Exchange) -> list[str]:
    sizes = ", ".join(
        f"{name.replace('_', ' ')} {told[name]}"
        for name in ("size", "in_use", "waiting")
        if name in told
    )
    words = [f"{told['by']}: {sizes}"] if sizes else []
    if not holding:
        return [*words, "whoever held the places had left when this was recorded"]
    ages = sorted(x.ended - each.started for each in holding)
    span = lasting(ages[-1]) if len(ages) == 1 else f"{lasting(ages[0])} to {lasting(ages[-1])}"
    held = f"{count(len(holding), 'place')} held for {span}"
    by = f"{counts_listed(told['by_user'])}; on {counts_listed(told['by_route'])}"
    return [*words, f"{held}: by {by}", *map(_oldest, _named(told["oldest"]))]


def _likely(told: Told, holding: Sequence[Exchange], x: Exchange) -> Told:
    """Whose the places are, where most of them are one's; and the oldest, to be looked up."""
    if not holding:
        return {}
    most = [
        f"{name} ({n} of {len(holding)})"
        for by in ("by_route", "by_user")
        for name, n in _counts(told[by]).items()
        if n > _MOST * len(holding)
    ]
    oldest = min(holding, key=lambda each: each.started)
    age = lasting(x.ended - oldest.started)
    words = f"The places are held by {' and '.join(most) if most else 'many'}"
    check = f"Look up {redact(oldest.request_id)}, the oldest of those that held them."
    return {"likely": f"{words}; the oldest for {age}.", "check": check}


def _counts(told: object) -> dict[str, int]:
    return told if isinstance(told, dict) else {}


def _named(rows: object) -> list[Told]:
    return rows if isinstance(rows, list) else []


def _oldest(row: Told) -> str:
    age = row["age_ms"]
    lasts = lasting(age / 1000) if isinstance(age, int | float) else ""
    return f"{row['request_id']}: {row['path']} of {row['user']}, for {lasts}"


def counts_listed(counts: object) -> str:
    """`route chat (2), route api (1)`."""
    return ", ".join(f"{k} ({n})" for k, n in counts.items()) if isinstance(counts, dict) else ""
