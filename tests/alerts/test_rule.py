"""The knobs of alerts hide their secrets and know what a rule is."""

import pytest
from pydantic import ValidationError

from proxy.alerts.rule import AlertsRule, Webhook


def test_a_url_is_never_shown() -> None:
    hook = Webhook(url="https://hooks.example/T0/canary", secret="canary")

    assert "canary" not in repr(hook) + hook.model_dump_json() + str(hook.model_dump())


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhooks": [{"url": "ftp://x"}]},
        {"webhooks": [{"url": "https://x", "format": "xml"}]},
        {"silenced": ["no_such_rule"]},
        {"errors": {"window": 3601.0}},
        {"errors": {"window": 1.0}},
        {"error_rate": {"above": 1.5}},
    ],
)
def test_what_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        AlertsRule(**wrong)
