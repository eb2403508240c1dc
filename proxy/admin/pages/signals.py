"""Traffic, errors, latency and what runs: each with its last five minutes."""

from collections.abc import Callable, Sequence
from datetime import datetime

from proxy.admin.json_view import length
from proxy.admin.live import Live
from proxy.admin.pages.charts import Column, chart, count_words
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import route_link
from proxy.observation.summary import SLOT

_MINUTE = 6
"""Slots that are whole, before the one that is under way."""


def signals(live: Live) -> Markup:
    slots = live.slots
    requests, errors = sum(s.requests for s in slots), sum(s.errors for s in slots)
    lately = slots[-_MINUTE - 1 : -1]
    rate = sum(s.requests for s in lately) / (_MINUTE * SLOT)
    share = 100 * errors / requests if requests else 0.0
    recent = [s.p95 for s in slots[-_MINUTE - 1 :] if s.requests]
    streams = "1 stream" if live.streams == 1 else f"{live.streams} streams"
    return el(
        "ul",
        _signal("Requests", f"{rate:.1f}", "a second",
                _chart(live, "Requests by 10 s", [s.requests for s in slots],
                       [s.errors for s in slots])),
        _signal("Errors", f"{share:.1f} %", f"{errors} of {requests} in 5 min",
                _chart(live, "Errors by 10 s", [s.errors for s in slots],
                       [s.errors for s in slots]), is_bad=errors > 0),
        _signal("p95 duration", length(1000 * max(recent)) if recent else "—", "last minute",
                _chart(live, "p95 duration by 10 s", [1000 * s.p95 for s in slots],
                       [0.0] * len(slots), length)),
        _signal("In flight", str(live.in_flight), streams, _by_route(live)),
        class_="signals",
    )  # fmt: skip


def _chart(
    live: Live,
    label: str,
    values: Sequence[float],
    bad: Sequence[float],
    spell: Callable[[float], str] = count_words,
) -> Markup:
    began = [_clock(live.health.dated(slot.began)) for slot in live.slots]
    columns = [Column(*each) for each in zip(began, values, bad, strict=True)]
    return chart(columns, label, [began[0], began[len(began) // 2], "now"], spell)


def _clock(at: str) -> str:
    """The time of day of a date."""
    return f"{datetime.fromisoformat(at):%H:%M:%S}Z"


def _signal(name: str, value: str, unit: str, drawn: Content, *, is_bad: bool = False) -> Markup:
    figure = el("p", el("strong", value), " ", el("span", unit))
    return el("li", el("h2", name), figure, drawn, class_="bad" if is_bad else None)


def _by_route(live: Live) -> Markup:
    busiest = sorted(live.running.items(), key=lambda item: -item[1].in_flight)[:3]
    shown = [
        el("div", el("dt", route_link(name, name) if name else "no route"),
           el("dd", running.in_flight))
        for name, running in busiest
    ]  # fmt: skip
    return el("dl", shown, class_="small")
