"""What is wrong at this moment, each with a link to what it is about."""

from collections.abc import Iterator, Sequence

from proxy.admin.health import HealthView
from proxy.admin.json_view import JsonObject, rows, text
from proxy.admin.live import Live
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import link, requests_link, route_link, upstream_link
from proxy.observation.upstream_status import UpstreamHealth


def verdict(
    live: Live, raised: Sequence[JsonObject], errors: JsonObject, store: JsonObject
) -> Markup:
    """Is it well, and if not, what is not."""
    wrong: list[Content] = [
        *_upstreams(live.health, rows(errors, "groups")),
        *_circuits(live.health),
        *_alerts(raised),
        *_own(live.health, store),
    ]
    if not wrong:
        return el("div", el("h1", "All is well"), class_="verdict good")
    listed = el("ul", [el("li", words) for words in wrong])
    return el("div", el("h1", "Trouble"), listed, class_="verdict bad")


def _upstreams(health: HealthView, groups: Sequence[JsonObject]) -> Iterator[Content]:
    for name, upstream in health.upstreams.items():
        if upstream.status == "failing":
            named = upstream_link(f"upstream {name}", name)
            yield [named, f" fails: {upstream.reason}", _since(health, upstream),
                   _latest(name, groups)]  # fmt: skip


def _since(view: HealthView, health: UpstreamHealth) -> str:
    if health.since is None:
        return ""
    return f" ({health.failures} failed in a row, since {view.dated(health.since)})"


def _latest(upstream: str, groups: Sequence[JsonObject]) -> Content:
    """The group of its latest error, of those that are sorted so."""
    broken = (g for g in groups if text(g, "upstream") == upstream)
    latest = next((g for g in broken if text(g, "severity") in ("error", "critical")), None)
    if latest is None:
        return None
    return [": ", link(text(latest, "code"), "errors", text(latest, "fingerprint"))]


def _circuits(health: HealthView) -> Iterator[Content]:
    for name, circuit in health.circuits.items():
        if circuit.view.state != "closed":
            state = circuit.view.state.replace("_", "-")
            yield [route_link(f"circuit {name}", name), f" is {state}"]


def _alerts(raised: Sequence[JsonObject]) -> Iterator[Content]:
    if loud := sum(not alert.get("silenced") for alert in raised):
        yield link("one alert is raised" if loud == 1 else f"{loud} alerts are raised", "alerts")


def _own(health: HealthView, store: JsonObject) -> Iterator[Content]:
    """What is wrong with Sidelight itself."""
    if health.overload:
        refused = requests_link("new requests are refused", code="overload_shed")
        yield [refused, f" ({health.overload})"]
    for name in health.certificates_expired:
        words = f"the certificate of {name} has expired"
        yield link(words, "runbooks", "certificate_expires_soon")
    if text(store, "state") == "failing":
        fails = link("the store fails", "runbooks", "store_dropping")
        yield [fails, f": {text(store, 'reason', 'unknown')}"]
