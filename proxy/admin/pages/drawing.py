"""Drawings: the timeline of a story, and the last five minutes as small bars. SVG, no scripts.

Sizes and places stand in attributes, colours come from the style sheet by class: the policy of
the pages allows no style within the page.
"""

from collections.abc import Iterator, Sequence
from math import log10
from typing import Final

from proxy.admin.json_view import JsonObject, length
from proxy.admin.pages.markup import Markup, el
from proxy.admin.timeline import MEANINGS, Bar, Lane, extent, lanes_of

WIDTH: Final = 960
_LEFT: Final = 84
_RIGHT: Final = 150
_LANE: Final = 40
_BAR: Final = 22
_CHARACTER: Final = 7.2
_SPARK_WIDTH: Final = 240
_SPARK_HEIGHT: Final = 44
_LEAST: Final = 2.5
"""Pixels of the shortest bar: what took no time was there all the same."""


def timeline(story: JsonObject) -> Markup | None:
    """The story drawn; None where nothing was waited for."""
    lanes = lanes_of(story)
    if not lanes:
        return None
    whole = extent(story)
    height = len(lanes) * _LANE + 30
    scale = (WIDTH - _LEFT - _RIGHT) / whole
    label = f"Timeline of {length(whole)}: " + "; ".join(map(_spoken, lanes))
    drawn = [_lane(lane, n * _LANE, scale) for n, lane in enumerate(lanes)]
    svg = el("svg", list(_axis(whole, scale, height)), drawn, viewBox=f"0 0 {WIDTH} {height}",
             role="img", aria_label=label, class_="timeline")  # fmt: skip
    return el("figure", el("div", svg, class_="scroll", tabindex="0"), _legend(lanes))


def bars(values: Sequence[float], bad: Sequence[float], label: str) -> Markup:
    """One bar for each value, its bad part in another colour; the last one is under way."""
    most, step = max(*values, 0.0), _SPARK_WIDTH / max(1, len(values))
    drawn: list[Markup] = [
        el("path", d=f"M0 {_SPARK_HEIGHT - 0.5}H{_SPARK_WIDTH}", class_="ground")
    ]
    for n, (value, failed) in enumerate(zip(values, bad, strict=True)):
        if value > 0:
            drawn.append(_column(n * step, step, value / most, ""))
        if failed > 0:
            drawn.append(_column(n * step, step, failed / most, "bad"))
    box = f"0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}"
    return el("svg", drawn, viewBox=box, preserveAspectRatio="none", role="img", aria_label=label,
              class_="spark")  # fmt: skip


def _column(x: float, step: float, share: float, class_: str) -> Markup:
    tall = max(2.0, (_SPARK_HEIGHT - 2) * share)
    return el("rect", x=f"{x:.1f}", y=f"{_SPARK_HEIGHT - tall:.1f}", width=f"{step - 1.5:.1f}",
              height=f"{tall:.1f}", class_=class_ or None)  # fmt: skip


def _axis(whole: float, scale: float, height: int) -> Iterator[Markup]:
    step = nice_step(whole / 5)
    at = 0.0
    while at <= whole * 1.0001:
        x = f"{_LEFT + at * scale:.1f}"
        yield el("path", d=f"M{x} 0V{height - 22}", class_="grid")
        yield el("text", length(at) if at else "0", x=x, y=height - 6, class_="tick")
        at += step


def nice_step(about: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** int(log10(about) // 1)
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= about * 0.999)


def _lane(lane: Lane, top: int, scale: float) -> list[Markup]:
    middle = top + _LANE / 2
    drawn = [el("text", lane.name, x=0, y=f"{middle + 4}", class_="lane")]
    free = float(_LEFT)
    for bar in lane.bars:
        x, width = _LEFT + bar.began * scale, max(_LEAST, bar.lasted * scale)
        y, tall = (middle - _BAR / 2, _BAR) if bar.kind != "gap" else (middle + _BAR / 2 + 1, 5)
        title = el("title", f"{bar.words} (from {length(bar.began)})")
        drawn.append(el("rect", title, x=f"{x:.1f}", y=y, width=f"{width:.1f}", height=tall, rx=2,
                        class_=f"bar {bar.kind}"))  # fmt: skip
        drawn += _words(bar, x, width, middle)
        free = max(free, x + width)
    drawn.append(el("text", lane.end, x=f"{free + 8:.1f}", y=f"{middle + 4}", class_="end"))
    return drawn


def _words(bar: Bar, x: float, width: float, middle: float) -> list[Markup]:
    """The name of a bar, where it has room for it."""
    if bar.kind == "gap" or len(bar.words) * _CHARACTER > width - 8:
        return []
    return [el("text", bar.words, x=f"{x + 6:.1f}", y=f"{middle + 4}", class_=f"words {bar.kind}")]


def _legend(lanes: Sequence[Lane]) -> Markup:
    shown = {bar.kind for lane in lanes for bar in lane.bars}
    items = [el("li", el("i", class_=f"key {kind}"), words)
             for kind, words in MEANINGS.items() if kind in shown]  # fmt: skip
    return el("figcaption", el("ul", items, class_="legend"))


def _spoken(lane: Lane) -> str:
    return f"{lane.name}, {', '.join(bar.words for bar in lane.bars)}, {lane.end}"
