"""Requests: a list by what they have in common."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from proxy.admin.json_view import JsonObject, as_count, as_number, milliseconds, part, text
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import code, nothing, reference, table, when
from proxy.admin.parameters import FIELD, ParameterFault
from proxy.admin.sources import FoundView
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
        field("since", "Since", "15m or a time"),
        field("until", "Until", "now"),
        [field(name, name, "any") for name in given if name.startswith(FIELD)],
        el("button", "Show"),
        el("datalist", [el("option", value=each) for each in OUTCOMES], id="codes"),
        action="/requests", class_="filter", aria_label="Which requests",
    )  # fmt: skip


def listed(stories: Sequence[JsonObject]) -> Markup:
    if not stories:
        return nothing("None are kept that fit. Successes are sampled; failures are all kept.")
    heads = ("Ended", "How", "Status", "Request", "Route", "Took", "Tries", "Reference ID")
    return table(heads, [_row(story) for story in stories], "Requests, newest first")


def _older(stories: Sequence[JsonObject], given: Mapping[str, str]) -> Markup:
    asked = {**given, "until": f"{as_number(stories[-1], 'ended') or 0:.3f}"}
    return el("p", el("a", "Older ones", href=f"/requests?{urlencode(asked)}", rel="next"))


def _field(name: str, value: str) -> list[Content]:
    """A value of the team's own leads to all requests that have it."""
    query = urlencode({f"{FIELD}{name}": value})
    return [" ", el("a", f"{name}={value}", href=f"/requests?{query}")]


def _row(story: JsonObject) -> tuple[Content, ...]:
    fields = [_field(name, str(value)) for name, value in part(story, "fields").items()]
    path = text(story, "path")
    asked = el("span", f"{text(story, 'method')} {path}", title=path, class_="cut")
    return (
        when(text(story, "at")),
        code(story),
        text(story, "status", "—"),
        [asked, el("small", fields) if fields else None],
        text(story, "route", "—"),
        milliseconds(story, "duration_ms"),
        as_count(story, "attempts"),
        reference(text(story, "request_id")),
    )
