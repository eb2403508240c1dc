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
_FAR: Final = 2.0
"""Times the median from which a length of time is worth a sentence."""
_WORTH: Final = 50.0
"""Milliseconds below which none is."""


def usual_lines(usual: Mapping[str, object]) -> Iterator[tuple[str, bool]]:
    """A line for each measure, and whether it is far above what is usual."""
    for measure, words in _MEASURES.items():
        known = usual.get(measure)
        if isinstance(known, Mapping):
            unit, say = ("bytes", _bytes) if measure == "size" else ("ms", _ms)
            values = [known.get(f"{name}_{unit}") for name in ("measured", "p50", "p95")]
            if all(isinstance(value, int | float) for value in values):
                yield _line(words, say, values)  # type: ignore[arg-type]


def unusual(around: Mapping[str, object]) -> str:
    """A sentence about the first length of time that is far above what is usual."""
    usual = around.get("usual")
    if not isinstance(usual, Mapping):
        return ""
    lengths = {name: known for name, known in usual.items() if name != "size"}
    far = (line for line, is_far in usual_lines(lengths) if is_far)
    line = next(far, "")
    return f"{line[0].upper()}{line[1:]}." if line else ""


def _line(words: str, say: Callable[[float], str], values: list[float]) -> tuple[str, bool]:
    measured, half, most = values
    line = f"{words.format(say(measured))}; usual {say(half)}, 95 of 100 within {say(most)}"
    return line, measured > most and measured >= max(_FAR * half, _WORTH)


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value < 10 else lasting(value / 1000)


def _bytes(value: float) -> str:
    return count(round(value), "byte")
