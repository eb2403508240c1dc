"""The first page: the search box, then how things are, the worst first."""

from collections.abc import Sequence

from proxy.admin.health import HealthView
from proxy.admin.json_view import JsonObject, as_count, as_number, length, part, rows, text
from proxy.admin.live import Live
from proxy.admin.pages.alerts import alert_item
from proxy.admin.pages.drawing import bars
from proxy.admin.pages.endpoints import endpoints_section
from proxy.admin.pages.errors import groups_table
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import link, nothing, section, state, table
from proxy.observation.summary import SLOT
from proxy.observation.upstream_status import UpstreamHealth

_MOST_GROUPS = 8


def overview(
    live: Live, alerts: Sequence[JsonObject], errors: JsonObject, store: JsonObject
) -> Markup:
    """All of the page that changes; scripts put it anew into its place."""
    raised = [alert for alert in alerts if text(alert, "state") == "raised"]
    groups = rows(errors, "groups")
    body = live.body()
    return el(
        "div",
        _verdict(live, raised, store),
        _signals(live),
        section("Raised alerts", el("ul", map(alert_item, raised), class_="alerts"))
        if raised
        else None,
        el("div", _circuits(body), _pools(body), class_="pair"),
        endpoints_section(part(body, "upstreams")),
        section(
            "Errors of the last 24 hours",
            groups_table(groups[:_MOST_GROUPS]) if groups else nothing("None."),
            more=link("All errors", "errors") if groups else None,
        ),
        id="live",
    )


def _verdict(live: Live, raised: Sequence[JsonObject], store: JsonObject) -> Markup:
    """Is it well, and if not, what is not."""
    wrong = [*_wrong_upstreams(live), *_open_circuits(live)]
    if loud := sum(not alert.get("silenced") for alert in raised):
        wrong.append("one alert is raised" if loud == 1 else f"{loud} alerts are raised")
    if live.health.overload:
        wrong.append(f"new requests are refused ({live.health.overload})")
    if text(store, "state") == "failing":
        wrong.append(f"the store fails: {text(store, 'reason', 'unknown')}")
    if not wrong:
        return el("div", el("h1", "All is well"), class_="verdict good")
    listed = el("ul", [el("li", words) for words in wrong])
    return el("div", el("h1", "Trouble"), listed, class_="verdict bad")


def _wrong_upstreams(live: Live) -> list[str]:
    failing = {n: h for n, h in live.health.upstreams.items() if h.status == "failing"}
    return [
        f"upstream {name} fails: {health.reason}" + _since(live.health, health)
        for name, health in failing.items()
    ]


def _since(view: HealthView, health: UpstreamHealth) -> str:
    if health.since is None:
        return ""
    return f" ({health.failures} failed in a row, since {view.dated(health.since)})"


def _open_circuits(live: Live) -> list[str]:
    views = ((name, circuit.view) for name, circuit in live.health.circuits.items())
    return [
        f"circuit {name} is {view.state.replace('_', '-')}"
        for name, view in views
        if view.state != "closed"
    ]


def _signals(live: Live) -> Markup:
    """Traffic, errors, latency and what runs: each with its last five minutes."""
    slots = live.slots
    requests, errors = [float(s.requests) for s in slots], [float(s.errors) for s in slots]
    total, failed = sum(requests), sum(errors)
    rate = sum(requests[-7:-1]) / (6 * SLOT)
    share = 100 * failed / total if total else 0.0
    none = [0.0] * len(slots)
    slow = [1000 * s.p95 for s in slots]
    recent = max(slow[-7:], default=0.0)
    streams = "1 stream" if live.streams == 1 else f"{live.streams} streams"
    return el(
        "ul",
        _signal("Requests", f"{rate:.1f}", "a second", bars(requests, errors, "Requests by 10 s")),
        _signal("Errors", f"{share:.1f} %", f"{failed:.0f} of {total:.0f} in 5 min",
                bars(errors, errors, "Errors by 10 s"), is_bad=failed > 0),
        _signal("p95 duration", length(recent), "last minute",
                bars(slow, none, "p95 by 10 s")),
        _signal("In flight", str(live.in_flight), streams, _by_route(live)),
        class_="signals",
    )  # fmt: skip


def _signal(name: str, value: str, unit: str, drawn: Content, *, is_bad: bool = False) -> Markup:
    figure = el("p", el("strong", value), " ", el("span", unit))
    return el("li", el("h2", name), figure, drawn, class_="bad" if is_bad else None)


def _by_route(live: Live) -> Markup:
    busiest = sorted(live.running.items(), key=lambda item: -item[1].in_flight)[:3]
    rows_ = [el("div", el("dt", name or "no route"), el("dd", running.in_flight))
             for name, running in busiest]  # fmt: skip
    return el("dl", rows_, class_="small")


def _circuits(body: JsonObject) -> Markup:
    shown = []
    for name, view in part(body, "circuit_breakers").items():
        if isinstance(view, dict):
            running = part(part(body, "routes"), name)
            failed, made = as_count(view, "failure_count"), as_count(view, "success_count")
            cells = (link(name, "routes"), _circuit(view), f"{failed} of {failed + made}",
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
            cells = (name, [state(text(health, "status")), why], [f"{used} of {size} ", meter],
                     as_count(view, "idle"), as_count(view, "waiting"))  # fmt: skip
            shown.append(cells)
    heads = ("Upstream", "State", "In use", "Idle", "Waiting")
    return section("Connections", table(heads, shown, "Connections by upstream"))
