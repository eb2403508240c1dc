"""Errors by group: what keeps going wrong, since when, and where to look."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlencode

from proxy.admin.json_view import JsonObject, as_count, as_number, part, rows, text, texts
from proxy.admin.pages.drawing import bars
from proxy.admin.pages.markup import Markup, el
from proxy.admin.pages.parts import (
    TONES,
    badge,
    facts,
    link,
    nothing,
    reference,
    section,
    table,
    when,
)
from proxy.admin.pages.runbook import runbook_aside

_HOURS = 48


def errors_page(errors: JsonObject) -> list[Markup]:
    groups, summary = rows(errors, "groups"), part(errors, "summary")
    apart = [group for group in groups if text(group, "state") in ("muted", "resolved")]
    active = [group for group in groups if group not in apart]
    shown = [group for group in active if text(group, "severity") != "info"]
    clients = [group for group in active if text(group, "severity") == "info"]
    listed = groups_table(shown) if shown else nothing("No error has been recorded.")
    more = (("4xx that repeat", clients), ("Muted or resolved", apart))
    return [
        el("h1", "Errors"), _summary(summary), section("By group, latest first", listed),
        *(section(title, groups_table(some)) for title, some in more if some),
    ]  # fmt: skip


def _summary(summary: JsonObject) -> Markup:
    hours = rows(summary, "per_hour")
    bad = [float(as_count(h, "error") + as_count(h, "critical")) for h in hours]
    every = [b + as_count(h, "warning") for b, h in zip(bad, hours, strict=True)]
    day = part(summary, "last_24h")
    figures = [
        el("li", el("h2", level.capitalize()), el("p", el("strong", as_count(day, level))),
           class_="bad" if level != "warning" and as_count(day, level) else None)
        for level in ("critical", "error", "warning")
    ]  # fmt: skip
    rate = as_number(summary, "rate_per_hour") or 0.0
    drawn = el("li", el("h2", "By hour"), bars(every or [0.0], bad or [0.0], "Errors by hour"),
               el("p", el("span", f"{rate:.1f} errors an hour over 24 hours")))  # fmt: skip
    return el("ul", figures, drawn, class_="signals")


def groups_table(groups: Sequence[JsonObject]) -> Markup:
    heads = ("Code", "Where", "Last seen", "24 hours", "In all", "Latest")
    return table(heads, [_row(group) for group in groups], "Groups of errors")


def _row(group: JsonObject) -> tuple[Markup | int | str | None, ...]:
    samples = texts(group, "samples")
    name = badge(text(group, "code"), TONES.get(text(group, "severity"), "quiet"))
    return (
        link(name, "errors", text(group, "fingerprint")),
        el("span", _where(group), el("small", " ", text(group, "detail_class"))),
        when(text(group, "last_seen")),
        as_count(group, "last_24h"),
        as_count(group, "total"),
        reference(samples[0]) if samples else None,
    )


def _where(group: JsonObject) -> str:
    places = (text(group, "route"), text(group, "endpoint") or text(group, "upstream"))
    return " → ".join(filter(None, places)) or "no route"


def by_hour(hours: Sequence[JsonObject], wall: float) -> list[float]:
    """Counts of the last two days, hour by hour; hours in which nothing was are left out of it."""
    counts = [0.0] * _HOURS
    for hour in hours:
        with suppress(ValueError):
            began = datetime.fromisoformat(text(hour, "hour")).timestamp()
            past = int(wall // 3600 - began // 3600)
            if 0 <= past < _HOURS:
                counts[-1 - past] = float(as_count(hour, "count"))
    return counts


def group_page(group: JsonObject, wall: float) -> list[Markup]:
    counts = by_hour(rows(group, "per_hour"), wall)
    samples = [el("li", reference(sample)) for sample in texts(group, "samples")]
    trace = text(group, "trace")
    code = text(group, "code")
    query = urlencode({"code": code, "route": text(group, "route")})
    more = el("a", "All requests that ended so", href=f"/requests?{query}")
    listed = el("ul", samples, class_="plain") if samples else nothing("None.")
    left = [
        facts(
            (
                ("Where", _where(group)), ("What", text(group, "detail_class")),
                ("The client is told", text(group, "message").replace("{n}", "N")),
                ("First seen", when(text(group, "first_seen"))),
                ("Last seen", when(text(group, "last_seen"))),
                ("Last 24 hours", as_count(group, "last_24h")),
                ("In all", as_count(group, "total")),
                ("Fingerprint", el("code", text(group, "fingerprint"))),
            )
        ),
        section("The last 48 hours", bars(counts, counts, "By hour, the newest on the right")),
        section("Reference IDs", listed, more=more),
        section("Stack trace", el("pre", trace, tabindex="0")) if trace else None,
    ]  # fmt: skip
    state = text(group, "state")
    told = [" ", badge(state, "quiet")] if state in ("muted", "resolved") else None
    if group.get("returned") is True:
        told = [" ", badge("came back", "warn")]
    orders = [_order(group, order) for order in ("mute", "unmute", "resolve")
              if _LEADS_TO[order] != state]  # fmt: skip
    title = el(
        "h1", badge(code, TONES.get(text(group, "severity"), "quiet")), " ", _where(group), told
    )
    buttons = el("div", orders, class_="js-only buttons", role="group", aria_label="Group")
    return [title, buttons, el("div", el("div", left), runbook_aside(code), class_="beside")]


_LEADS_TO = {"mute": "muted", "unmute": "active", "resolve": "resolved"}


def _order(group: JsonObject, order: str) -> Markup:
    """Works with scripts only: changes are asked for in JSON."""
    path = f"/api/errors/{text(group, 'fingerprint')}/{order}"
    return el("button", f"{order.capitalize()} group", type="button", data_post=path)
