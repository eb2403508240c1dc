"""Errors by group: what keeps going wrong, since when, and where to look."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from proxy.admin.json_view import JsonObject, as_count, as_number, part, rows, text, texts
from proxy.admin.pages.charts import Column, chart
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import (
    TONES,
    badge,
    facts,
    link,
    nothing,
    reference,
    requests_link,
    section,
    table,
    when,
)
from proxy.admin.pages.runbook import runbook_aside

_HOURS = 48


def errors_page(errors: JsonObject) -> list[Markup]:
    groups, summary = rows(errors, "groups"), part(errors, "summary")
    shown = [group for group in groups if is_shown(group)]
    apart = [group for group in groups if _is_apart(group)]
    clients = [group for group in groups if not is_shown(group) and not _is_apart(group)]
    listed = groups_table(shown) if shown else nothing("No error has been recorded.")
    more = (("4xx that repeat", clients), ("Muted or resolved", apart))
    return [
        el("h1", "Errors"), _summary(summary), section("By group, latest first", listed),
        *(section(title, groups_table(some)) for title, some in more if some),
    ]  # fmt: skip


def is_shown(group: JsonObject) -> bool:
    """Whether it stands among the errors: not a 4xx of clients, neither muted nor resolved."""
    return text(group, "severity") != "info" and not _is_apart(group)


def _is_apart(group: JsonObject) -> bool:
    return text(group, "state") in ("muted", "resolved")


def _summary(summary: JsonObject) -> Markup:
    hours = [_hour_column(hour) for hour in rows(summary, "per_hour")]
    day = part(summary, "last_24h")
    figures = [
        el("li", el("h2", level.capitalize()), el("p", el("strong", as_count(day, level))),
           class_="bad" if level != "warning" and as_count(day, level) else None)
        for level in ("critical", "error", "warning")
    ]  # fmt: skip
    rate = as_number(summary, "rate_per_hour") or 0.0
    drawn = el("li", el("h2", "By hour"),
               el("p", el("strong", f"{rate:.1f}"), " ", el("span", "errors an hour, in 24 hours")),
               chart(hours, "Errors and warnings by hour", _spread([h.when for h in hours])),
               class_="wide")  # fmt: skip
    return el("ul", figures, drawn, class_="signals")


def _hour_column(hour: JsonObject) -> Column:
    """Warnings and errors, the latter as the bad part."""
    bad = as_count(hour, "error") + as_count(hour, "critical")
    return Column(_short(text(hour, "hour")), bad + as_count(hour, "warning"), bad)


def _short(at: str) -> str:
    return f"{at[5:10]} {at[11:16]}Z"


def _spread(times: Sequence[str]) -> list[str]:
    """What stands below a chart that goes up to now."""
    return [times[0], times[len(times) // 2], "now"] if times else []


def groups_table(groups: Sequence[JsonObject]) -> Markup:
    heads = ("Code", "Where", "Last seen", "24 hours", "In all", "Latest")
    return table(heads, [_row(group) for group in groups], "Groups of errors")


def _row(group: JsonObject) -> tuple[Content, ...]:
    samples = texts(group, "samples")
    name = badge(text(group, "code"), TONES.get(text(group, "severity"), "quiet"))
    return (
        [link(name, "errors", text(group, "fingerprint")), _state(group)],
        el("span", _where(group), el("small", " ", text(group, "detail_class"))),
        when(text(group, "last_seen")),
        as_count(group, "last_24h"),
        as_count(group, "total"),
        reference(samples[0]) if samples else None,
    )


def _state(group: JsonObject) -> Content:
    """What was ordered of it, or that it came back after it was over."""
    state = text(group, "state")
    if group.get("returned") is True:
        return [" ", badge("came back", "warn")]
    return [" ", badge(state, "quiet")] if _is_apart(group) else None


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
    more = requests_link(
        "All requests that ended so", code=code, route=text(group, "route"),
        endpoint=text(group, "endpoint"), status=_status(group),
    )  # fmt: skip
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
        section("The last 48 hours", _by_hour_chart(counts, wall)),
        section("Reference IDs", listed, more=more),
        section("Stack trace", el("pre", trace, tabindex="0")) if trace else None,
    ]  # fmt: skip
    state = text(group, "state")
    orders = [_order(group, order) for order in ("mute", "unmute", "resolve")
              if _LEADS_TO[order] != state]  # fmt: skip
    title = el(
        "h1",
        badge(code, TONES.get(text(group, "severity"), "quiet")),
        " ",
        _where(group),
        _state(group),
    )
    buttons = el("div", orders, class_="js-only buttons", role="group", aria_label="Group")
    return [title, buttons, el("div", el("div", left), runbook_aside(code), class_="beside")]


def _by_hour_chart(counts: Sequence[float], wall: float) -> Markup:
    first = wall // 3600 - len(counts) + 1
    hours = [datetime.fromtimestamp((first + n) * 3600, UTC) for n in range(len(counts))]
    columns = [
        Column(f"{hour:%m-%d %H:%M}Z", count, count)
        for hour, count in zip(hours, counts, strict=True)
    ]
    return chart(columns, "By hour", _spread([column.when for column in columns]))


def _status(group: JsonObject) -> str:
    """Where the upstream's own status is what makes it one group."""
    name, _, status = text(group, "detail_class").partition(" ")
    return status if name == "status" and status.isdigit() else ""


_LEADS_TO = {"mute": "muted", "unmute": "active", "resolve": "resolved"}


def _order(group: JsonObject, order: str) -> Markup:
    """Works with scripts only: changes are asked for in JSON."""
    path = f"/api/errors/{text(group, 'fingerprint')}/{order}"
    return el("button", f"{order.capitalize()} group", type="button", data_post=path)
