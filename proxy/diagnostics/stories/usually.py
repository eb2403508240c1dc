"""What was measured beside what is usual on the route, in sentences."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from proxy.diagnostics.stories.words import count, lasting

_MEASURES: Final = {
    "head": "{} to the head",
    "first_event": "{} to the first event",
    "gap": "{} without an event",
    "duration": "{} in all",
    "size": "{} in the answer",
}
"""By measure, as it is told of an exchange."""
_MISSING: Final = {"head": "no head for {}", "first_event": "no first event for {}"}
"""The same where what was waited for had not come."""
_FAR: Final = 2.0
"""Times the median from which a length of time is worth a sentence."""
_WORTH: Final = 50.0
"""Milliseconds below which none is."""


def usual_lines(usual: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """A line for each measure, and whether it is far above what is usual."""
    return ((line, factor > 0) for line, factor in _lines(usual))


def unusual(around: Mapping[str, object]) -> str:
    """A sentence about the length of time that is the farthest above what is usual."""
    usual = around.get("usual")
    if not isinstance(usual, Mapping):
        return ""
    lengths = {name: known for name, known in usual.items() if name != "size"}
    line, factor = max(_lines(lengths), key=lambda each: each[1], default=("", 0.0))
    return f"{line[0].upper()}{line[1:]}." if factor else ""


def _lines(usual: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    """With how many times what is usual it was; 0 where that is not far above it."""
    for measure, words in _MEASURES.items():
        known = usual.get(measure)
        if isinstance(known, Mapping):
            is_size = measure == "size"
            unit, say = ("bytes", _bytes) if is_size else ("ms", _ms)
            words = _MISSING.get(measure, words) if known.get("missing") is True else words
            values = [known.get(f"{name}_{unit}") for name in ("measured", "p50", "p95")]
            if all(isinstance(value, int | float) for value in values):
                yield _line(words, say, values)  # type: ignore[arg-type]


def _line(words: str, say: Callable[[float], str], values: list[float]) -> tuple[str, float]:
    measured, half, most = values
    line = f"{words.format(say(measured))}; usual {say(half)}, 95 of 100 within {say(most)}"
    is_far = measured > most and measured >= max(_FAR * half, _WORTH)
    return line, measured / max(most, 1.0) if is_far else 0.0


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value < 10 else lasting(value / 1000)


def _bytes(value: float) -> str:
    return count(round(value), "byte")
