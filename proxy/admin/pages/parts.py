"""Small pieces that several pages show."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from proxy.admin.json_view import JsonObject, text
from proxy.admin.pages.markup import Content, Markup, el

_NUMBER: Final = re.compile(r"[0-9][0-9.,]*(?: of [0-9]+| (?:ms|s|min|bytes?|%))?|—")
_SHORTEST: Final = 8


def link(content: Content, *path: str) -> Markup:
    """A link within the dashboard; the parts of the path are encoded."""
    return el("a", content, href="/" + "/".join(quote(part, safe="") for part in path))


def reference(request_id: str) -> Markup:
    """A Reference ID that leads to its story."""
    return link(el("code", request_id), "requests", request_id)


def linked(words: str, ids: Iterable[str]) -> list[Content]:
    """A text in which these Reference IDs lead to their stories; very short ones are left alone,
    since they may be words as well."""
    named = sorted((one for one in set(ids) if len(one) >= _SHORTEST), key=len, reverse=True)
    if not named:
        return [words]
    parts = re.split(f"(?<!\\w)({'|'.join(map(re.escape, named))})(?![\\w-])", words)
    return [reference(part) if n % 2 else part for n, part in enumerate(parts)]


def route_link(content: Content, name: str) -> Markup:
    """Where a route, its limits and its circuit are shown."""
    return el("a", content, href=f"/routes#route-{quote(name, safe='')}")


def upstream_link(content: Content, name: str) -> Markup:
    """Where the connections of an upstream are shown."""
    return el("a", content, href=f"/#{quote(upstream_id(name), safe='')}")


def upstream_id(name: str) -> str:
    return f"upstream-{name}"


def requests_link(content: Content, **asked: str) -> Markup:
    """The requests that are asked for so; what is empty asks nothing."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return el("a", content, href=f"/requests?{query}")


def badge(content: Content, tone: str) -> Markup:
    """`tone` is good, warn, bad or quiet; the words say it as well, never the colour alone."""
    return el("span", content, class_=f"badge {tone}")


TONES = {
    "info": "quiet", "warning": "warn", "error": "bad", "critical": "bad",
    "ok": "good", "connected": "good", "closed": "good", "cleared": "good", "passed": "good",
    "degraded": "bad", "failing": "bad", "open": "bad", "raised": "bad", "refused": "bad",
    "up": "good", "usable": "quiet", "down": "bad", "ejected": "bad", "resting": "warn",
    "half_open": "warn", "unknown": "quiet", "not_asked": "quiet", "off": "quiet",
}  # fmt: skip


def state(word: str) -> Markup:
    """A word of a closed list with the tone it has everywhere."""
    return badge(word.replace("_", " "), TONES.get(word, "quiet"))


def code(view: JsonObject) -> Markup:
    """How an exchange ended, with the tone of its level."""
    level = text(view, "level")
    tone = "good" if text(view, "code") == "completed" else TONES.get(level, "quiet")
    return badge(text(view, "code", "unknown"), tone)


def when(at: str, before: str = "") -> Markup:
    """A time; scripts add how long ago that is. Shown without its year, which is in the title."""
    short = f"{at[5:10]} {at[11:19]}Z" if len(at) > 19 else at
    return el("time", before, short, datetime=at, title=at)


def table(heads: Sequence[str], rows: Iterable[Sequence[Content]], caption: str) -> Markup:
    """`caption` is for those who do not see the page. Wide ones scroll in their own box."""
    listed = [tuple(row) for row in rows]
    kinds = [_kind(column) for column in zip(*listed, strict=True)] or [None] * len(heads)
    body = [el("tr", map(_cell, heads, row, kinds)) for row in listed]
    named = [el("th", each, scope="col", class_=kind) for each, kind in zip(heads, kinds)]  # noqa: B905
    head = el("thead", el("tr", named))
    inner = el("table", el("caption", caption, class_="unseen"), head, el("tbody", body))
    return el("div", inner, class_="scroll")


def _cell(head: str, content: Content, kind: str | None) -> Markup:
    """On a telephone each cell carries its own head."""
    return el("td", el("div", content), data_label=head, class_=kind)


def _kind(column: Sequence[Content]) -> str | None:
    """Numbers stand in line on the right, and the head of their column with them."""
    there = [content for content in column if content not in ("", None)]
    return "number" if there and all(map(_is_number, there)) else None


def _is_number(content: Content) -> bool:
    if isinstance(content, int | float):
        return True
    return isinstance(content, str) and _NUMBER.fullmatch(content) is not None


def facts(pairs: Iterable[tuple[str, Content]]) -> Markup:
    """Names with their values; those without a value are left out."""
    shown = [
        el("div", el("dt", name), el("dd", value))
        for name, value in pairs
        if value not in (None, "")
    ]
    return el("dl", shown, class_="facts")


def section(title: str, *content: Content, id_: str | None = None, more: Content = None) -> Markup:
    heading = el("h2", title)
    head = el("div", heading, more, class_="heading") if more is not None else heading
    return el("section", head, content, id=id_)


def nothing(words: str) -> Markup:
    return el("p", words, class_="nothing")
