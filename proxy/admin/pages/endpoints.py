"""How the endpoints stand: those that are out of use first, with the reason."""

from proxy.admin.json_view import JsonObject, as_number, part, rows, text
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import section, state, table, when

_WORST = ("down", "ejected", "resting", "unknown", "up", "usable")
_MOST = 100
"""Rows of the table; more endpoints are counted."""


def endpoints_section(upstreams: JsonObject) -> Content:
    """The table of all endpoints; nothing where each upstream has one that is not checked."""
    shown = [
        (name, view) for name in upstreams for view in rows(part(upstreams, name), "endpoints")
    ]
    if all(_is_alone(upstreams, name) for name in upstreams):
        return None
    shown.sort(key=lambda each: _WORST.index(text(each[1], "status", "usable")))
    heads = ("Upstream", "Endpoint", "State", "Since", "Tried again")
    found = [(name, *_cells(view)) for name, view in shown[:_MOST]]
    more = len(shown) - _MOST
    note = el("p", f"and {more} more", class_="quiet") if more > 0 else None
    return section("Endpoints", table(heads, found, "Endpoints by upstream"), note)


def _is_alone(upstreams: JsonObject, name: str) -> bool:
    views = rows(part(upstreams, name), "endpoints")
    return len(views) <= 1 and all(text(view, "status") == "usable" for view in views)


def _cells(view: JsonObject) -> tuple[Content, ...]:
    where: list[Content] = [el("code", text(view, "endpoint"))]
    if address := text(view, "address"):
        where.append(el("small", f" {address}"))
    why: Markup | None = None
    if reason := text(view, "reason"):
        why = el("small", f" {reason}")
    since, wait = text(view, "since"), as_number(view, "retry_in_seconds")
    return (
        where,
        [state(text(view, "status")), why],
        when(since) if since else "",
        f"in {wait:.0f} s" if wait is not None else "",
    )
