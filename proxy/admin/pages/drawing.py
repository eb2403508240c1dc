"""The timeline of a story. SVG, no scripts.

Places along the time axis are shares of the width and heights are pixels: the whole of it is seen
on any screen, and its text keeps its size. Colours come from the style sheet by class: the policy
of the pages allows no style within the page.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from proxy.admin.json_view import JsonObject, length
from proxy.admin.pages.charts import nice_step
from proxy.admin.pages.markup import Markup, el
from proxy.admin.timeline import MEANINGS, Bar, Lane, extent, lanes_of

_LANE: Final = 54
"""Pixels of a lane: a line of text, its bars, and the mark of a gap."""
_TEXT: Final = 15
_BARS: Final = 21
_BAR: Final = 20
_AXIS: Final = 24
_CHARACTER: Final = 7.2
_LEAST: Final = 0.01
"""Share of the shortest bar: what took no time was there all the same."""
_PHONE: Final = 310
_DESK: Final = 780
"""Pixels that a timeline has at the least, on a telephone and elsewhere."""


def timeline(story: JsonObject) -> Markup | None:
    """The story drawn; None where nothing was waited for."""
    lanes = lanes_of(story)
    if not lanes:
        return None
    whole = extent(story)
    height = len(lanes) * _LANE + _AXIS
    label = f"Timeline of {length(whole)}: " + "; ".join(map(_spoken, lanes))
    drawn = [_lane(lane, n * _LANE, whole) for n, lane in enumerate(lanes)]
    svg = el("svg", list(_axis(whole, height)), drawn, width="100%", height=height, role="img",
             aria_label=label, class_="timeline")  # fmt: skip
    return el("figure", svg, _legend(lanes))


def _axis(whole: float, height: int) -> Iterator[Markup]:
    step = nice_step(whole / 5)
    at = 0.0
    while at <= whole * 1.0001:
        share = min(1.0, at / whole)
        x, anchor = _percent(share), "start" if not at else "end" if share > 0.93 else "middle"
        yield el("line", x1=x, x2=x, y1=0, y2=height - _AXIS + 4, class_="grid")
        yield el("text", length(at) if at else "0", x=x, y=height - 5, text_anchor=anchor,
                 class_="tick")  # fmt: skip
        at += step


def _lane(lane: Lane, top: int, whole: float) -> list[Markup]:
    drawn = [
        el("text", lane.name, x=0, y=top + _TEXT, class_="lane"),
        el("text", lane.end, x="100%", y=top + _TEXT, text_anchor="end", class_="end"),
    ]
    for bar in lane.bars:
        share = min(1.0, bar.lasted / whole)
        x = _percent(min(1 - max(share, _LEAST), bar.began / whole))
        is_gap = bar.kind == "gap"
        y, tall = (top + _BARS + _BAR + 1, 5) if is_gap else (top + _BARS, _BAR)
        title = el("title", f"{bar.words} (from {length(bar.began)})")
        drawn.append(el("rect", title, x=x, y=y, width=_percent(max(share, _LEAST)), height=tall,
                        rx=2, class_=f"bar {bar.kind}"))  # fmt: skip
        drawn += _words(bar, x, share, top)
    return drawn


def _words(bar: Bar, x: str, share: float, top: int) -> list[Markup]:
    """The name of a bar, where it has room for it: on any screen, or on wide ones only."""
    needed = len(bar.words) * _CHARACTER + 14
    if bar.kind == "gap" or needed > share * _DESK:
        return []
    roomy = "" if needed <= share * _PHONE else " roomy"
    return [el("text", bar.words, x=x, dx=6, y=top + _BARS + 14,
               class_=f"words {bar.kind}{roomy}")]  # fmt: skip


def _legend(lanes: Sequence[Lane]) -> Markup:
    shown = {bar.kind for lane in lanes for bar in lane.bars}
    items = [el("li", el("i", class_=f"key {kind}"), words)
             for kind, words in MEANINGS.items() if kind in shown]  # fmt: skip
    return el("figcaption", el("ul", items, class_="legend"))


def _spoken(lane: Lane) -> str:
    return f"{lane.name}, {', '.join(bar.words for bar in lane.bars)}, {lane.end}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
