"""The knobs of alerts hide their secrets and know what a rule is."""

import pytest
from pydantic import ValidationError
from yarl import URL

from proxy.diagnostics.alerts.rules import AlertsRule, Webhook


def test_a_url_is_never_shown() -> None:
    hook = Webhook(url="https://hooks.example/T0/canary", secret="canary")

    assert "canary" not in repr(hook) + hook.model_dump_json() + str(hook.model_dump())


@pytest.mark.parametrize(
    "url",
    [
        "http://", "https:///CANARY", "https://?CANARY", "http://[::1/CANARY", "http://[x]/CANARY",
        "http://h:99999/CANARY", "http://h:CANARY/", "http://h:0/CANARY", "http:CANARY", "CANARY",
        "https://h h/CANARY", "https://h/CAN ARY", "https://h/\nCANARY", "https://-h/CANARY", "",
        "https://u:CANARY@/x", " https://h/CANARY",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_posted_to_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Webhook(url=url)

    assert "CANARY" not in str(refused.value)
    assert "CANARY" not in str([error["msg"] for error in refused.value.errors()])


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/x", "http://127.0.0.1:9000/hook?token=a",
        "http://[::1]:9000/", "https://u:p@alerts.example", "http://alert_manager:80",
    ],
)  # fmt: skip
def test_a_url_that_can_be_posted_to_is_kept(url: str) -> None:
    assert url == Webhook(url=url).url.get_secret_value()
    assert URL(url).host


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
