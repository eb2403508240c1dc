"""Alerts: what was raised, why, and where to look."""

from collections.abc import Sequence
from urllib.parse import quote

from proxy.admin.json_view import JsonObject, part, text, texts
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import badge, link, nothing, reference, section, state, when


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
           " · ", runbook_link(text(alert, "runbook", rule)),
           [" · see", samples] if samples else None, class_="quiet"),
        _silence(rule, is_silent=is_silent),
        class_=f"alert {severity if is_raised else 'cleared'}",
    )  # fmt: skip


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
