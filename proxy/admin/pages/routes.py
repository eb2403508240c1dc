"""Routes: which requests go where, under which limits, and the circuit of each."""

from collections.abc import Sequence
from urllib.parse import quote

from proxy.admin.json_view import JsonObject, as_count, as_number, part, rows, text, texts
from proxy.admin.pages.limits import limits_of
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import facts, nothing, reference, state, table, when

_ORDERS = (
    ("open", "Open circuit", "Refuse all requests of this route?"),
    ("close", "Close circuit", "Let traffic flow to this upstream again?"),
    ("reset", "Reset circuit", "Close the circuit and forget what was counted?"),
)

_RESULTS = {"open": "open", "close": "closed"}


def routes_page(
    routes: Sequence[JsonObject], breakers: Sequence[JsonObject], limits: JsonObject
) -> list[Content]:
    circuits = {text(breaker, "route"): breaker for breaker in breakers}
    shown = [_route(route, circuits.get(text(route, "name"), {}), limits) for route in routes]
    note = el("p", "In the order in which they are tried.", class_="quiet")
    return [el("h1", "Routes"), note, *shown]


def _route(route: JsonObject, circuit: JsonObject, limits: JsonObject) -> Markup:
    name, match = text(route, "name"), part(route, "match")
    methods = ", ".join(texts(match, "methods")) or "all methods"
    where = f"{text(match, 'host')}{text(match, 'path')}"
    orders = _orders(name, text(circuit, "state")) if circuit.get("enabled") else None
    return el(
        "section",
        el("div", el("h2", name), orders, class_="heading"),
        facts(
            (
                ("Takes", [el("code", where), " ", methods, *_conditions(match)]),
                ("Upstream", text(route, "upstream")),
                ("Policy", text(route, "policy")),
                ("Circuit", _circuit(circuit)),
                ("Clocks", _clocks(part(route, "timeouts"))),
            )
        ),
        _changes(rows(circuit, "changes")),
        limits_of(limits, name),
        id=f"route-{name}",
    )  # fmt: skip


def _conditions(match: JsonObject) -> list[Content]:
    """The headers and parameters that a request must have."""
    wanted = [
        f"{what} {name}: {' or '.join(texts(part(match, key), name))}"
        for key, what in (("headers", "header"), ("query", "query"))
        for name in part(match, key)
    ]
    return [content for each in wanted for content in (" ", el("code", each))]


def _circuit(circuit: JsonObject) -> Content:
    if not circuit.get("enabled"):
        return "none"
    failed, good = as_count(circuit, "failure_count"), as_count(circuit, "success_count")
    wait = as_number(circuit, "retry_in_seconds") or 0.0
    probe = f", probe in {wait:.0f} s" if wait >= 1 else ""
    return [state(text(circuit, "state")), f" {failed} of {failed + good} attempts failed{probe}"]


def _clocks(timeouts: JsonObject) -> str:
    return ", ".join(f"{name} {value}" for name, value in timeouts.items() if value is not None)


def _changes(changes: Sequence[JsonObject]) -> Markup:
    if not changes:
        return nothing("The circuit has not changed.")
    shown = [
        (
            when(text(change, "at")),
            state(text(change, "to")),
            [text(change, "cause").replace("_", " "), *map(_failure, rows(change, "failures"))],
        )
        for change in changes
    ]
    return table(("When", "To", "Because"), shown, "Changes of the circuit, latest first")


def _failure(failed: JsonObject) -> Content:
    """One that opened the circuit; its ID leads to its story."""
    how = f" {text(failed, 'status') or text(failed, 'code')} at {text(failed, 'endpoint')}"
    return el("div", reference(text(failed, "request_id")), el("small", how))


def _orders(route: str, state_: str) -> Markup:
    """What would change something. Work with scripts only: changes are asked for in JSON."""
    path = f"/api/breakers/{quote(route, safe='')}"
    buttons = [
        el("button", words, type="button", id=f"{order}-{route}", data_post=f"{path}/{order}",
           data_confirm=f"{question} ({route})")
        for order, words, question in _ORDERS
        if _RESULTS.get(order) != state_
    ]  # fmt: skip
    return el(
        "div", buttons, class_="js-only buttons", role="group", aria_label=f"Circuit of {route}"
    )
