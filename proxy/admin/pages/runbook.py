"""Runbooks: on a page of their own, and beside what they are about."""

from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import link, nothing, requests_link, section
from proxy.diagnostics.stories.runbook import Runbook
from proxy.diagnostics.stories.runbooks import RUNBOOKS
from proxy.outcome import OUTCOMES


def runbook_aside(key: str) -> Markup | None:
    """What to do, beside the evidence; None where nothing is known."""
    runbook = RUNBOOKS.get(key)
    if runbook is None:
        return None
    title = el("h2", "Runbook: ", link(el("code", key), "runbooks", key))
    return el("aside", title, _steps(runbook), class_="runbook")


def runbook_page(key: str, runbook: Runbook) -> list[Content]:
    outcome = OUTCOMES.get(key)
    said = outcome.message.replace("{n}", "N") if outcome else ""
    return [
        el("h1", "Runbook: ", el("code", key)),
        _steps(runbook),
        section("What the client is told", el("p", said)) if said else None,
        el("p", requests_link("All requests that ended so", code=key)) if outcome else None,
    ]


def _steps(runbook: Runbook) -> list[Content]:
    return [
        el("p", _spelt(runbook.cause)),
        el("h3", "Check"),
        _listed(runbook.checks) if runbook.checks else nothing("Nothing."),
        el("h3", "Fix"),
        _listed(runbook.fixes) if runbook.fixes else nothing("Nothing."),
    ]


def _listed(items: tuple[str, ...]) -> Markup:
    return el("ol", [el("li", _spelt(item)) for item in items])


def _spelt(words: str) -> list[Content]:
    """What stands between backticks is code."""
    return [el("code", part) if n % 2 else part for n, part in enumerate(words.split("`"))]
