"""Bar charts with a scale and a time axis. SVG, no scripts.

Lengths along the time axis are shares of the width and heights are pixels, so that a chart takes
whatever width there is and its text keeps its size.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log10
from typing import Final

from proxy.admin.pages.markup import Markup, el

HEIGHT: Final = 66
_TOP: Final = 14
"""Pixels above the upper end of the scale: room for the value of the largest bar."""
_LEAST: Final = 2.0
"""Pixels of the shortest bar: what there was little of was there all the same."""
_FILLED: Final = 0.86
"""Share of its column that a bar takes."""


@dataclass(frozen=True, slots=True)
class Column:
    """A bar: when it was, how much there was, and how much of that was bad."""

    when: str
    value: float
    bad: float = 0.0


def count_words(value: float) -> str:
    """A count on the scale; what is no whole number is not one."""
    return f"{value:.0f}" if value == int(value) else ""


def chart(
    columns: Sequence[Column],
    label: str,
    times: Sequence[str] = (),
    spell: Callable[[float], str] = count_words,
) -> Markup:
    """`label` says what is counted, `times` stand at even distances below; `spell` names values."""
    most = max((column.value for column in columns), default=0.0)
    top = nice_step(most) if most > 0 else 0.0
    steps = [spell(top), spell(top / 2), "0"] if top else ["", "", "0"]
    largest = next((c for c in columns if c.value == most), None) if most else None
    spoken = f"{label}; most: {_words(largest, spell)}" if largest else f"{label}; none"
    drawn = [_ground(), *_bars(columns, top, spell)]
    if largest is not None:
        drawn.append(_value(columns.index(largest), len(columns), most / top, spell(most)))
    svg = el("svg", drawn, width="100%", height=HEIGHT, role="img", aria_label=spoken)
    scale = el("div", [el("span", step) for step in steps], class_="scale", aria_hidden="true")
    below = el("div", [el("span", at) for at in times], class_="times") if times else None
    return el("div", scale, svg, below, class_="chart")


def nice_step(about: float) -> float:
    """The next of 1, 2, 5 times a power of ten, a billionth at the least."""
    about = max(about, 1e-9)
    power = 10.0 ** int(log10(about) // 1)
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= about * 0.999)


def _bars(columns: Sequence[Column], top: float, spell: Callable[[float], str]) -> Iterator[Markup]:
    """Each column as high as the chart carries its words, for who points there."""
    step = 100 / max(1, len(columns))
    for n, column in enumerate(columns):
        place = {"x": f"{n * step:.2f}%", "width": f"{step * _FILLED:.2f}%"}
        words = el("title", _words(column, spell))
        bars = [
            _bar(value / top, place, kind)
            for value, kind in ((column.value, "all"), (column.bad, "bad"))
            if value > 0
        ]
        yield el("g", words, el("rect", **place, y=0, height=HEIGHT, class_="hit"), bars)


def _bar(share: float, place: dict[str, str], kind: str) -> Markup:
    tall = max(_LEAST, (HEIGHT - _TOP) * min(1.0, share))
    return el("rect", **place, y=f"{HEIGHT - tall:.1f}", height=f"{tall:.1f}", class_=kind)


def _value(at: int, of: int, share: float, words: str) -> Markup:
    """The value of the largest bar, above it."""
    middle = (at + _FILLED / 2) / of
    anchor = "start" if middle < 0.1 else "end" if middle > 0.9 else "middle"
    y = HEIGHT - (HEIGHT - _TOP) * min(1.0, share) - 3
    return el("text", words, x=f"{100 * middle:.2f}%", y=f"{y:.1f}", text_anchor=anchor)


def _ground() -> list[Markup]:
    heights = (_TOP, (HEIGHT + _TOP) / 2, HEIGHT - 0.5)
    return [el("line", x1=0, x2="100%", y1=y, y2=y) for y in heights]


def _words(column: Column, spell: Callable[[float], str]) -> str:
    is_part = 0 < column.bad < column.value
    bad = f", {spell(column.bad)} of them bad," if is_part else ""
    return f"{spell(column.value)}{bad} at {column.when}"
