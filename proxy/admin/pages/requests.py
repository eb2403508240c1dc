"""Requests: a list by what they have in common."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from proxy.admin.json_view import (
    JsonObject,
    as_count,
    as_number,
    counts_of,
    milliseconds,
    part,
    rows,
    text,
    texts,
)
from proxy.admin.pages.drawing import bars
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import code, nothing, reference, table, when
from proxy.admin.parameters import READERS, ParameterFault
from proxy.admin.sources import FoundView
from proxy.diagnostics.stories.grouping import COLUMNS, FIELD, grouped
from proxy.outcome import OUTCOMES


def requests_page(
    found: FoundView | Sequence[ParameterFault], given: Mapping[str, str]
) -> list[Content]:
    title = el("h1", "Requests")
    if isinstance(found, Sequence):
        wrong = [
            el("li", el("code", f"{f.parameter}={f.value}"), " should be ", f.expected)
            for f in found
        ]
        return [title, _filter(given), el("ul", wrong, class_="wrong", role="alert")]
    if by := given.get("group"):
        counted = grouped(found.stories, by)
        return [title, _filter(given), store_note(found.store), _counted(counted, given, by)]
    older = _older(found.stories, given) if found.stories else None
    return [title, _filter(given), store_note(found.store), listed(found.stories), older]


def store_note(store: str) -> Markup | None:
    if store != "failing":
        return None
    words = "The store cannot be read: these are the ones in memory only."
    return el("p", words, class_="wrong", role="status")


def _filter(given: Mapping[str, str]) -> Markup:
    def field(name: str, label: str, hint: str, **more: str | bool) -> Markup:
        box = el("input", name=name, value=given.get(name, ""), placeholder=hint, maxlength=256,
                 autocomplete="off", **more)  # fmt: skip
        return el("label", label, box)

    return el(
        "form",
        field("code", "Code", "any", list="codes"),
        field("route", "Route", "any"),
        field("status", "Status", "any", inputmode="numeric"),
        field("method", "Method", "any"),
        field("path", "Path", "/a or /a/*"),
        field("endpoint", "Endpoint", "any"),
        field("agent", "Agent", "part of it"),
        field("group", "Count by", "path, field.user …", list="columns"),
        field("since", "Since", "15m or a time"),
        field("until", "Until", "now"),
        [field(name, name, "any") for name in given if name.startswith(FIELD)],
        el("button", "Show"),
        el("datalist", [el("option", value=each) for each in OUTCOMES], id="codes"),
        el("datalist", [el("option", value=each) for each in COLUMNS], id="columns"),
        action="/requests", class_="filter", aria_label="Which requests",
    )  # fmt: skip


def listed(stories: Sequence[JsonObject]) -> Markup:
    if not stories:
        return nothing("None are kept that fit. Successes are sampled; failures are all kept.")
    heads = (
        "Ended", "How", "Status", "Request", "Route", "Endpoint", "Took", "Tries", "Reference ID",
    )  # fmt: skip
    return table(heads, [_row(story) for story in stories], "Requests, newest first")


def _counted(counted: JsonObject, given: Mapping[str, str], by: str) -> list[Content]:
    """How many there were of each value, and when."""
    most = " at least" if counted.get("at_least") is True else ""
    said = (f"{as_count(counted, 'counted')}{most} from {text(counted, 'since')} to "
            f"{text(counted, 'until')}")  # fmt: skip
    shown = [_group_row(group, given, by) for group in rows(counted, "groups")]
    heads = (by, "Count", "Over time", "How", "Samples")
    return [el("p", said, class_="quiet"), table(heads, shown, f"Requests by {by}")]


def _group_row(group: JsonObject, given: Mapping[str, str], by: str) -> tuple[Content, ...]:
    value = text(group, "value")
    codes = part(group, "codes")
    counts = counts_of(group)
    bad = [0.0] * len(counts)
    rest = {name: each for name, each in given.items() if name not in ("group", by)}
    leads = value != "none" and (by in READERS or by.startswith(FIELD))
    href = f"/requests?{urlencode({**rest, by: value})}"
    return (
        el("a", value, href=href) if leads else value,
        as_count(group, "count"),
        bars(counts, bad, f"{value}: {', '.join(f'{n:g}' for n in counts)}"),
        ", ".join(f"{name} {n}" for name, n in codes.items()),
        [[reference(each), " "] for each in texts(group, "samples")],
    )


def _older(stories: Sequence[JsonObject], given: Mapping[str, str]) -> Markup:
    asked = {**given, "until": f"{as_number(stories[-1], 'ended') or 0:.3f}"}
    return el("p", el("a", "Older ones", href=f"/requests?{urlencode(asked)}", rel="next"))


def same_field(name: str, value: str, words: str = "") -> Markup:
    """A value of the team's own leads to all requests that have it."""
    query = urlencode({f"{FIELD}{name}": value})
    return el("a", words or value, href=f"/requests?{query}")


def _field(name: str, value: str) -> list[Content]:
    return [" ", same_field(name, value, f"{name}={value}")]


def _row(story: JsonObject) -> tuple[Content, ...]:
    fields = [_field(name, str(value)) for name, value in part(story, "fields").items()]
    path = text(story, "path")
    asked = el("span", f"{text(story, 'method')} {path}", title=path, class_="cut")
    detail = text(story, "detail")
    why = el("small", el("div", detail, class_="cut", title=detail)) if detail else None
    return (
        when(text(story, "at")),
        [code(story), why],
        text(story, "status", "—"),
        [asked, el("small", fields) if fields else None],
        text(story, "route", "—"),
        el("small", text(story, "endpoint", "—").partition("://")[2] or "—"),
        milliseconds(story, "duration_ms"),
        as_count(story, "attempts"),
        reference(text(story, "request_id")),
    )
