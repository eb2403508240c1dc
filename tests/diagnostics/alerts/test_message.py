"""What receivers are sent, and how they know that it is from us."""

import hashlib
import hmac
import json

from proxy.diagnostics.alerts.message import SIGNATURE, TIMESTAMP, headers_of, message_body, text_of

ALERT = {
    "rule": "errors",
    "severity": "error",
    "summary": "11 errors <b>",
    "runbook": "https://w/#errors",
    "samples": ["a", "b"],
}


def test_json_carries_the_whole_alert() -> None:
    assert json.loads(message_body(ALERT, "raised", "chat", "json", "host-1")) == {
        "event": "raised",
        "service": "chat",
        "host": "host-1",
        "alert": ALERT,
    }


def test_slack_gets_a_text_with_runbook_and_ids() -> None:
    body = json.loads(message_body(ALERT, "cleared", "chat", "slack"))

    assert body == {"text": text_of(ALERT, "cleared", "chat")}
    assert body["text"] == (
        "[chat] CLEARED error: errors\n11 errors &lt;b&gt;\n"
        "Runbook: https://w/#errors\nReference IDs: a, b"
    )


def test_without_samples_no_ids_are_named() -> None:
    assert "Reference" not in text_of({**ALERT, "samples": []}, "raised", "chat")


def test_traces_are_linked_where_they_are_known() -> None:
    alert = {**ALERT, "traces": {"a": "https://t/1", "b": "https://t/2"}}

    assert text_of(alert, "raised", "chat").endswith("\nTraces: https://t/1, https://t/2")


def test_a_secret_signs_the_time_and_the_body() -> None:
    headers = headers_of(b"{}", "hush", 1e9 + 0.7)
    expected = hmac.new(b"hush", b"1000000000.{}", hashlib.sha256).hexdigest()

    assert headers[TIMESTAMP] == "1000000000"
    assert headers[SIGNATURE] == f"sha256={expected}"
    assert headers["Content-Type"] == "application/json"


def test_without_a_secret_nothing_is_signed() -> None:
    assert SIGNATURE not in headers_of(b"{}", None, 1e9)


def test_a_text_names_service_and_host_and_links_to_the_stories() -> None:
    said = text_of({**ALERT, "links": ["https://d/requests/a"]}, "raised", "chat", "host-1")

    assert said.startswith("[chat on host-1] RAISED")
    assert said.endswith("Stories: https://d/requests/a")
