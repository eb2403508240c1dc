"""Each code and each alert has a runbook, and the page says what the table says."""

from pathlib import Path
from typing import get_args

from proxy.diagnostics.alerts.rules import RuleName
from proxy.diagnostics.alerts.watch import TEST
from proxy.diagnostics.stories.alert_runbooks import ALERTS
from proxy.diagnostics.stories.runbooks import CODES, RUNBOOKS, runbooks_page
from proxy.outcome import OUTCOMES

PAGE = Path(__file__).parents[3] / "docs" / "runbooks" / "README.md"


def test_every_code_has_a_runbook_in_the_order_of_the_table() -> None:
    assert list(OUTCOMES) == list(CODES)


def test_every_alert_has_a_runbook() -> None:
    assert {*get_args(RuleName), TEST} == set(ALERTS)


def test_no_runbook_is_empty() -> None:
    assert [] == [
        name for name, book in RUNBOOKS.items() if not (book.cause and book.checks and book.fixes)
    ]


def test_the_page_is_made_from_the_table() -> None:
    """Made by `python -m proxy.diagnostics.stories.runbooks > docs/runbooks/README.md`."""
    assert runbooks_page() == PAGE.read_text(encoding="utf-8")
