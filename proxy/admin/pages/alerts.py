"""Alerts: what was raised, why, and where to look."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from proxy.admin.json_view import JsonObject, part, text, texts
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import (
    badge,
    link,
    nothing,
    reference,
    requests_link,
    route_link,
    section,
    state,
    upstream_link,
    when,
)
from proxy.diagnostics.alerts.rules import RuleName


def alerts_page(alerts: Sequence[JsonObject]) -> list[Markup]:
    raised = [alert for alert in alerts if text(alert, "state") == "raised"]
    cleared = [alert for alert in alerts if text(alert, "state") != "raised"]
    test = el(
        "button", "Send a test alert", type="button", class_="js-only", data_post="/api/alerts/test"
    )
    return [
        el("div", el("h1", "Alerts"), test, class_="heading"),
        section("Raised", _listed(raised, "Nothing is raised.")),
        section("Cleared in the last 24 hours", _listed(cleared, "None.")),
    ]


def _listed(alerts: Sequence[JsonObject], none: str) -> Markup:
    return el("ul", map(alert_item, alerts), class_="alerts") if alerts else nothing(none)


def alert_item(alert: JsonObject) -> Markup:
    """One alert, with its runbook and its Reference IDs."""
    is_silent = alert.get("silenced") is True
    is_raised = text(alert, "state") == "raised"
    rule, severity = text(alert, "rule"), text(alert, "severity")
    traces = part(alert, "traces")
    samples = [
        [" ", reference(sample), _trace(text(traces, sample))] for sample in texts(alert, "samples")
    ]
    return el(
        "li",
        el("p", state(severity) if is_raised else state("cleared"), " ",
           el("strong", text(alert, "summary") or rule), " ",
           badge("silenced", "quiet") if is_silent else None),
        el("p", el("code", rule), " since ", when(text(alert, "raised_at")),
           [" until ", when(text(alert, "cleared_at"))] if text(alert, "cleared_at") else None,
           _about(alert), " · ", runbook_link(text(alert, "runbook", rule)),
           [" · see", samples] if samples else None, class_="quiet"),
        _silence(rule, is_silent=is_silent),
        class_=f"alert {severity if is_raised else 'cleared'}",
    )  # fmt: skip


_ERRORS: Final = link("errors by group", "errors")
ABOUT: Final[dict[RuleName, Content]] = {
    "critical_errors": _ERRORS,
    "errors": _ERRORS,
    "warnings": _ERRORS,
    "error_rate": _ERRORS,
    "slow_answers": requests_link("requests by path", group="path"),
    "slow_first_events": requests_link("requests by path", group="path"),
    "stalls": requests_link("streams that fell silent", code="stream_stalled"),
    "unauthorised": requests_link("requests by status", group="status"),
    "overloaded": requests_link("refused requests", code="overload_shed"),
}
"""What the alerts of a rule are about, where it is not its subject."""


def _about(alert: JsonObject) -> Content:
    """A link to it."""
    rule, subject = text(alert, "rule"), text(alert, "subject")
    match rule:
        case "breaker_open":
            about: Content = route_link(f"route {subject}", subject)
        case "pool_exhausted" | "endpoint_down":
            upstream = subject.partition(" ")[0]
            about = upstream_link(f"upstream {upstream}", upstream)
        case _:
            about = {str(name): each for name, each in ABOUT.items()}.get(rule)
    return [" · ", about] if about is not None else None


def _trace(url: str) -> Content:
    return [" (", el("a", "trace", href=url, rel="noreferrer"), ")"] if url else None


def runbook_link(key: str) -> Content:
    """A key leads to our page; settings may name one elsewhere."""
    if key.startswith(("https://", "http://")):
        return el("a", "runbook", href=key, rel="noreferrer")
    return link("runbook", "runbooks", key)


def _silence(rule: str, *, is_silent: bool) -> Markup:
    """Works with scripts only: changes are asked for in JSON."""
    words, wish = ("End silence", "0s") if is_silent else ("Silence for 1 h", "1h")
    body = f'{{"for": "{wish}"}}'
    path = f"/api/alerts/{quote(rule, safe='')}/silence"
    return el("button", words, type="button", class_="js-only", data_post=path, data_body=body)
