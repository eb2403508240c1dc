"""The first page: the search box, then how things are, the worst first."""

from collections.abc import Sequence

from proxy.admin.json_view import JsonObject, as_count, as_number, part, rows, text
from proxy.admin.live import Live
from proxy.admin.pages.alerts import alert_item
from proxy.admin.pages.endpoints import endpoints_section
from proxy.admin.pages.errors import groups_table, is_shown
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import link, nothing, route_link, section, state, table, upstream_id
from proxy.admin.pages.signals import signals
from proxy.admin.pages.trouble import verdict

_MOST_GROUPS = 8


def overview(
    live: Live, alerts: Sequence[JsonObject], errors: JsonObject, store: JsonObject
) -> Markup:
    """All of the page that changes; scripts put it anew into its place."""
    raised = [alert for alert in alerts if text(alert, "state") == "raised"]
    groups = [g for g in rows(errors, "groups") if is_shown(g) and as_count(g, "last_24h")]
    body = live.body()
    return el(
        "div",
        verdict(live, raised, errors, store),
        signals(live),
        section("Raised alerts", el("ul", map(alert_item, raised), class_="alerts"))
        if raised
        else None,
        el("div", _circuits(body), _pools(body), class_="pair"),
        endpoints_section(part(body, "upstreams")),
        section(
            "Errors of the last 24 hours",
            groups_table(groups[:_MOST_GROUPS]) if groups else nothing("None."),
            more=link("All errors", "errors"),
        ),
        id="live",
    )


def _circuits(body: JsonObject) -> Markup:
    shown = []
    for name, view in part(body, "circuit_breakers").items():
        if isinstance(view, dict):
            running = part(part(body, "routes"), name)
            failed, made = as_count(view, "failure_count"), as_count(view, "success_count")
            cells = (route_link(name, name), _circuit(view), f"{failed} of {failed + made}",
                     as_count(running, "in_flight"), as_count(running, "streams"))  # fmt: skip
            shown.append(cells)
    heads = ("Route", "Circuit", "Failed", "In flight", "Streams")
    return section("Circuits", table(heads, shown, "Circuits by route"))


def _circuit(view: JsonObject) -> Content:
    wait = as_number(view, "retry_in_seconds") or 0.0
    probe = el("small", f" probe in {wait:.0f} s") if wait >= 1 else None
    return [state(text(view, "state")), probe]


def _pools(body: JsonObject) -> Markup:
    shown = []
    for name, view in part(body, "pools").items():
        if isinstance(view, dict):
            health = part(part(body, "upstreams"), name)
            used, size = as_count(view, "in_use"), as_count(view, "size")
            meter = el("meter", f"{used} of {size}", min=0, max=size, value=used, high=size * 0.8)
            why = el("small", " ", text(health, "reason")) if text(health, "reason") else None
            cells = (el("span", name, id=upstream_id(name)), [state(text(health, "status")), why],
                     el("span", f"{used} of {size} ", meter, class_="whole"),
                     as_count(view, "idle"), as_count(view, "waiting"))  # fmt: skip
            shown.append(cells)
    heads = ("Upstream", "State", "In use", "Idle", "Waiting")
    return section("Connections", table(heads, shown, "Connections by upstream"))
