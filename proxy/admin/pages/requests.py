"""Requests: a list by what they have in common."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from proxy.admin.json_view import JsonObject, as_count, as_number, milliseconds, part, text
from proxy.admin.pages.counted import counted
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import (
    code,
    nothing,
    reference,
    requests_link,
    route_link,
    table,
    when,
)
from proxy.admin.parameters import ParameterFault
from proxy.admin.sources import FoundView
from proxy.diagnostics.stories.grouping import COLUMNS, FIELD, grouped
from proxy.outcome import OUTCOMES

_BOXES: Final = (
    ("code", "Code", "any"), ("route", "Route", "any"), ("status", "Status", "any"),
    ("method", "Method", "any"), ("path", "Path", "/a or /a/*"), ("endpoint", "Endpoint", "any"),
    ("agent", "Agent", "part of it"), ("detail", "Detail", "part of it"),
    ("instance", "Instance", "any"),
    ("since", "Since", "15m or a time"), ("until", "Until", "now"),
    ("group", "Count by", "path, field.user …"),
)  # fmt: skip
"""What can be asked for: parameter, label, hint."""
_LISTS: Final = {"code": "codes", "group": "columns"}


def requests_page(
    found: FoundView | Sequence[ParameterFault], given: Mapping[str, str], fields: Sequence[str]
) -> list[Content]:
    """`given` is what was asked, `fields` are the names of the team's own."""
    above: list[Content] = [el("h1", "Requests"), _filter(given, fields)]
    if isinstance(found, Sequence):
        wrong = [
            el("li", el("code", f"{f.parameter}={f.value}"), " should be ", f.expected)
            for f in found
        ]
        return [*above, el("ul", wrong, class_="wrong", role="alert")]
    above.append(store_note(found.store))
    if by := given.get("group"):
        return [*above, *counted(grouped(found.stories, by), given, by)]
    older = _older(found.stories, given) if found.stories else None
    return [*above, listed(found.stories), older]


def store_note(store: str) -> Markup | None:
    if store != "failing":
        return None
    words = "The store cannot be read: these are the ones in memory only."
    return el("p", words, class_="wrong", role="status")


def _filter(given: Mapping[str, str], fields: Sequence[str]) -> Markup:
    asked = [name for name in given if name.startswith(FIELD)]
    own = dict.fromkeys([*(FIELD + name for name in fields), *asked])
    columns = [*COLUMNS, *own]
    boxes = [_box(*box, given) for box in _BOXES]
    boxes[-1:-1] = [_box(name, name.removeprefix(FIELD), "any", given) for name in own]
    return el(
        "form",
        boxes,
        el("button", "Show"),
        el("datalist", [el("option", value=each) for each in OUTCOMES], id="codes"),
        el("datalist", [el("option", value=each) for each in columns], id="columns"),
        action="/requests", class_="filter", aria_label="Which requests",
    )  # fmt: skip


def _box(name: str, label: str, hint: str, given: Mapping[str, str]) -> Markup:
    mode = "numeric" if name == "status" else None
    box = el("input", name=name, value=given.get(name, ""), placeholder=hint, maxlength=256,
             autocomplete="off", inputmode=mode, list=_LISTS.get(name))  # fmt: skip
    return el("label", label, box)


def listed(stories: Sequence[JsonObject]) -> Markup:
    if not stories:
        return nothing("None are kept that fit. Successes are sampled; failures are all kept.")
    several = len({text(story, "instance") for story in stories}) > 1
    heads = (
        "Ended", "How", "Status", "Request", "Route, endpoint", "Took", "Tries", "Reference ID",
    )  # fmt: skip
    return table(
        heads, [_row(story, several=several) for story in stories], "Requests, newest first"
    )


def _older(stories: Sequence[JsonObject], given: Mapping[str, str]) -> Markup:
    asked = {**given, "until": f"{as_number(stories[-1], 'ended') or 0:.3f}"}
    return el("p", el("a", "Older ones", href=f"/requests?{urlencode(asked)}", rel="next"))


def field_link(name: str, value: str, words: str = "") -> Markup:
    """A value of the team's own leads to all requests that have it."""
    return requests_link(words or value, **{f"{FIELD}{name}": value})


def _row(story: JsonObject, *, several: bool) -> tuple[Content, ...]:
    """With its instance, where they are of more than one."""
    fields = [
        [field_link(name, str(value), f"{name}={value}"), " "]
        for name, value in part(story, "fields").items()
    ]
    path = text(story, "path")
    asked = el("span", f"{text(story, 'method')} {path}", title=path, class_="cut")
    route, endpoint = text(story, "route"), text(story, "endpoint").rpartition("://")[2]
    return (
        when(text(story, "at")),
        [code(story), _small(text(story, "detail"))],
        text(story, "status", "—"),
        [asked, el("div", el("small", fields)) if fields else None],
        [el("span", route_link(route, route) if route else "—", class_="which"),
         _small(endpoint)],
        milliseconds(story, "duration_ms"),
        as_count(story, "attempts"),
        [el("span", reference(text(story, "request_id")), class_="id"),
         _small(text(story, "instance")) if several else None],
    )  # fmt: skip


def _small(words: str) -> Markup | None:
    """A second line, cut where there is no room for it."""
    return el("small", el("div", words, class_="cut", title=words)) if words else None
