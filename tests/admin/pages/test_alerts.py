"""Alerts lead to what they are about."""

from typing import get_args

import pytest

from proxy.admin.pages.alerts import ABOUT, alert_item
from proxy.diagnostics.alerts.rules import RuleName
from proxy.diagnostics.alerts.signs import STANDING
from proxy.diagnostics.stories.alert_runbooks import ALERTS


@pytest.mark.parametrize(
    ("rule", "subject", "href"),
    [
        ("breaker_open", "chat", "/routes#route-chat"),
        ("pool_exhausted", "chat", "/#upstream-chat"),
        ("endpoint_down", "chat http://b", "/#upstream-chat"),
        ("errors", "", "/errors"),
        ("stalls", "", "/requests?code=stream_stalled"),
    ],
)
def test_an_alert_leads_to_what_it_is_about(rule: str, subject: str, href: str) -> None:
    item = alert_item({"rule": rule, "subject": subject, "state": "raised", "runbook": rule})

    assert f'href="{href}"' in item


def test_every_rule_leads_somewhere_or_has_nothing_but_its_runbook() -> None:
    about_us = {"store_dropping", "log_dropping"}

    assert set(get_args(RuleName)) == {*ABOUT, *STANDING, *about_us}
    assert set(get_args(RuleName)) <= set(ALERTS)
