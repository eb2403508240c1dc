"""Compares those that ended alike with all others of their route, value by value.

Two measures, because either alone misleads. The difference of shares asks how much more often a
value comes with the ones than with the others; the gap between the confidence intervals of how many
ended so (Wilson) keeps a value that came three times from winning by chance. The intervals are of
84 %, because two of them that do not meet differ with 95 %.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice
from math import sqrt
from operator import eq
from typing import Final

from proxy.diagnostics.neighbours.causes import LOOKED_AT, NEW, causes
from proxy.diagnostics.neighbours.contrast import Contrast
from proxy.diagnostics.neighbours.window import CountedRow, RouteWindow, Value

LEAST: Final = 3
"""Fewer of a kind are too few to compare."""

MOST_TOLD: Final = 3
SAMPLES: Final = 2
"""IDs of each side that are told."""

_CLEAR: Final = 0.25
"""Difference of shares from which a value is told."""
_BESIDE: Final = 0.5
"""Share of the best difference that another one needs to be told beside it."""
_PAIRED: Final = 6
"""Values that are tried in pairs."""
_TRIED: Final = 512
"""The newest rows, by which the pair is chosen that is counted in all."""
_GAIN: Final = 0.1
"""By so much a pair must be better than the best single field."""
_Z: Final = 1.39
REACHED: Final = ("endpoint", "connection", "stream")
"""Fields without a value where an exchange did not come so far: that is an effect, no cause."""
MET: Final = ("endpoint", "method")
_EITHER: Final = ("path", "item")
"""Say the same, so they are no pair."""

Pair = tuple[tuple[str, Value], tuple[str, Value]]


def find(window: RouteWindow, kind: str, *, in_pairs: bool = True) -> list[Contrast]:
    """What those of `kind` have in common and the others have not, the best first.

    Nothing where they are too few, or where there is nobody else. The newest row is the one that
    it is found for. With `in_pairs` the rows are looked through once more.
    """
    alike, total = window.kinds[kind], len(window.rows)
    if alike < LEAST or total - alike < 1:
        return []
    own = dict(zip(window.fields, window.rows[-1][2], strict=True))
    ranked = sorted(_singles(window, kind, own), key=_rank, reverse=True)
    singles = causes(window, kind, ranked)
    found = [each for each in singles if each.gap > 0 and each.difference >= _CLEAR]
    best = found[0] if found else None
    if in_pairs and not (best and best.separates):
        pair = _best_pair(window, kind, own, singles[:_PAIRED])
        if pair and (best is None or pair.difference > best.difference + _GAIN):
            found.insert(0, pair)
    told = _distinct(found[:1] + _beside(window, kind, found, in_pairs=in_pairs))
    return [_with_samples(window, kind, each) for each in told[:MOST_TOLD]]


def nearest_good(window: RouteWindow) -> str | None:
    """The ID of the good one that has most in common with the newest row, of those about it."""
    values = window.rows[-1][2]
    best, ties = None, -1
    for row, kind, had in islice(reversed(window.rows), LOOKED_AT):
        if not kind:
            shared = sum(map(eq, values, had))
            if shared > ties:
                best, ties = row.request_id, shared
    return best


def measure(n: int, total: int, alike: int, everyone: int) -> tuple[float, float]:
    """Difference of shares and gap, where `n` of `total` with a value ended alike.

    `alike` of `everyone` did so with and without it.
    """
    good = everyone - alike
    difference = n / alike - ((total - n) / good if good else 0.0)
    if total == everyone:
        return difference, -1.0
    low, _ = wilson(n, total)
    _, high = wilson(alike - n, everyone - total)
    return difference, low - high


def wilson(n: int, total: int) -> tuple[float, float]:
    """The interval in which the true share lies with 84 % confidence, where `n` of `total` did."""
    share, z = n / total, _Z * _Z / total
    middle = share + z / 2
    around = _Z * sqrt((share * (1 - share) + z / 4) / total)
    return max(0.0, (middle - around) / (1 + z)), min(1.0, (middle + around) / (1 + z))


def _singles(window: RouteWindow, kind: str, own: dict[str, Value]) -> Iterator[Contrast]:
    for name, totals, likes in zip(window.fields, window.totals, window.alike[kind], strict=True):
        if name in REACHED and own[name] is None:
            continue
        alike, everyone = window.kinds[kind], len(window.rows)
        if name in REACHED:  # those that did not come so far are no others
            alike, everyone = alike - likes[None], everyone - totals[None]
        for value, n in likes.items():
            if n < LEAST or (value is None and name in (*REACHED, "item")):
                continue
            total = totals[value]
            if total == everyone:
                continue
            told = measure(n, total, alike, everyone)
            is_this = own[name] == value
            yield Contrast(((name, value),), n, total, alike - n, everyone - total, *told, is_this)


def _beside(
    window: RouteWindow, kind: str, found: Sequence[Contrast], *, in_pairs: bool
) -> list[Contrast]:
    """What is worth to be told beside the best: what cannot be told apart from it, and what still
    makes a difference among those that have it."""
    if not found:
        return []
    best, *others = found
    same = [each for each in others if (each.alike, each.all) == (best.alike, best.all)]
    if best.separates or not in_pairs:
        return same
    near = [e for e in others[:_PAIRED] if e.difference >= _BESIDE * best.difference]
    counts = _counts(window, kind, [each.values for each in (best, *near)])
    told = []
    for each, (both, total) in zip(near, counts[1:], strict=True):
        alike, everyone = counts[0]
        is_told = both >= LEAST and measure(both, total, alike, everyone)[1] > 0
        told += [each] if is_told or each in same else []
    return told


def _counts(
    window: RouteWindow, kind: str, wanted: Sequence[tuple[tuple[str, Value], ...]]
) -> list[tuple[int, int]]:
    """Among the rows that have the first of these values: how many have each, and how many of
    them ended alike (told first)."""
    places = {name: n for n, name in enumerate(window.fields)}
    tests = [[(places[name], value) for name, value in values] for values in wanted]
    totals, likes = [0] * len(tests), [0] * len(tests)
    for _, had, values in window.rows:
        if not all(values[n] == value for n, value in tests[0]):
            continue
        for number, test in enumerate(tests):
            if all(values[n] == value for n, value in test):
                totals[number] += 1
                likes[number] += had == kind
    return list(zip(likes, totals, strict=True))


def _best_pair(
    window: RouteWindow, kind: str, own: dict[str, Value], singles: Sequence[Contrast]
) -> Contrast | None:
    """The best of all pairs of these values."""
    pairs: list[Pair] = [
        (one.values[0], other.values[0])
        for one, other in combinations([each for each in singles if each.difference > 0], 2)
        if one.values[0][0] != other.values[0][0] and not _same(one, other)
    ]
    if not pairs:
        return None
    newest = list(islice(reversed(window.rows), _TRIED))
    ranked = sorted(pairs, key=lambda pair: _promise(window, kind, newest, pair), reverse=True)
    return _counted_pair(window, kind, own, ranked[0])


def _promise(
    window: RouteWindow, kind: str, rows: Sequence[CountedRow], pair: Pair
) -> tuple[float, int]:
    """How well a pair separates the newest rows, roughly."""
    (one, a), (other, b) = pair
    i, j = window.fields.index(one), window.fields.index(other)
    have = [had == kind for _, had, values in rows if values[i] == a and values[j] == b]
    alike = sum(have)
    return (alike / len(have), alike) if alike >= LEAST else (0.0, 0)


def _counted_pair(
    window: RouteWindow, kind: str, own: dict[str, Value], pair: Pair
) -> Contrast | None:
    (one, a), (other, b) = pair
    i, j = window.fields.index(one), window.fields.index(other)
    have = [had == kind for _, had, values in window.rows if values[i] == a and values[j] == b]
    n, total = sum(have), len(have)
    alike, everyone = window.kinds[kind], len(window.rows)
    if n < LEAST or total == everyone:
        return None
    told = measure(n, total, alike, everyone)
    is_this = all(own[name] == value for name, value in pair)
    found = Contrast(pair, n, total, alike - n, everyone - total, *told, is_this)
    is_clear = found.gap > 0 and found.difference >= _CLEAR
    is_effect = NEW in pair and found.rest_alike > 0
    return found if is_clear and not is_effect else None


def _same(one: Contrast, other: Contrast) -> bool:
    return one.values[0][0] in _EITHER and other.values[0][0] in _EITHER


def _rank(found: Contrast) -> tuple[float, float]:
    return round(found.difference, 2), found.gap


def _distinct(found: Sequence[Contrast]) -> list[Contrast]:
    """Without the item where the path says the same, and the other way round."""
    kept: list[Contrast] = []
    for each in found:
        if not any(len(k.values) == len(each.values) == 1 and _same(k, each) for k in kept):
            kept.append(each)
    return kept


def _with_samples(window: RouteWindow, kind: str, found: Contrast) -> Contrast:
    """Looks at the newest rows; only their number bounds what is found of endpoints and methods."""
    places = {name: n for n, name in enumerate(window.fields)}
    wanted = [(places[name], value) for name, value in found.values]
    bad: list[str] = []
    good: list[str] = []
    met: dict[str, set[str]] = {name: set() for name in MET}
    for row, had, values in islice(reversed(window.rows), LOOKED_AT):
        has = all(values[n] == value for n, value in wanted)
        if has and had == kind:
            bad.append(row.request_id)
            for name, seen in met.items():
                seen.add(values[places[name]] or "")
        elif not (has or had):
            good.append(row.request_id)
    return replace(
        found,
        bad=tuple(bad[:SAMPLES]),
        good=tuple(good[:SAMPLES]),
        endpoints=len(met["endpoint"]),
        method=next(iter(met["method"]), "") if len(met["method"]) == 1 else "",
    )
