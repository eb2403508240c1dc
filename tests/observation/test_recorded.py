"""What of an exchange is kept: nothing secret, nothing long, nothing that forges a line."""

from typing import Any

import orjson
import pytest

from proxy.diagnostics.errors.fingerprint import kind_of
from proxy.diagnostics.stories.story import brief_of, story_of
from proxy.observation.batch import MOST
from proxy.observation.fault import fault_of
from proxy.observation.record import event_of
from proxy.observation.recorded import hide, redact_in_place, weight
from proxy.observation.redaction import REDACTED
from tests.records import attempt, fallen_back


def told(x) -> bytes:
    """All that is made of a record that was redacted."""
    redact_in_place(x)
    return orjson.dumps([event_of(x), story_of(x), brief_of(x), str(kind_of(x))])


@pytest.mark.parametrize(
    "field",
    [
        pytest.param({"target": "/x?token=CANARY9"}, id="path"),
        pytest.param({"user_agent": "x Bearer CANARY9"}, id="user agent"),
        pytest.param({"request_id": "sk-CANARY9"}, id="request ID"),
        pytest.param({"client_request_id": "sk-CANARY9"}, id="ID of the client"),
        pytest.param({"upstream_request_id": "sk-CANARY9"}, id="ID of the upstream"),
        pytest.param(
            {"upstream_request_id": "a", "upstream_ids": {"A": "a", "B": "sk-CANARY9"}},
            id="another ID of the upstream",
        ),
        pytest.param({"fields": {"user": "sk-CANARY9"}}, id="field of the team's own"),
        pytest.param({"detail": "http://u:CANARY9@h refused"}, id="detail"),
        pytest.param({"method": "SK-CANARY9"}, id="method"),
        pytest.param({"host": "user:CANARY9@h:80"}, id="host"),
        pytest.param({"fault": fault_of(ValueError("CANARY9"))}, id="fault"),
    ],
)
def test_a_secret_is_in_nothing_that_is_made_of_the_record(exchange, field) -> None:
    assert b"CANARY9" not in told(exchange(**field))


@pytest.mark.parametrize(
    ("field", "name", "length"),
    [
        ({"user_agent": "a" * 999}, "user_agent", 256),
        ({"target": "/" + "a" * 9999}, "path", 2048),
        ({"fields": {"user": "a" * 999}}, "user", 200),
        ({"client_request_id": "a" * 999}, "client_request_id", 200),
        ({"method": "A" * 999}, "method", 32),
    ],
)
def test_long_values_are_cut(exchange, field: dict[str, Any], name: str, length: int) -> None:
    x = exchange(**field)
    redact_in_place(x)

    assert length == len(event_of(x)[name])


def test_a_line_cannot_be_forged_by_bytes_of_the_client(exchange) -> None:
    forged = '/x\r\n\x85\u2028{"event":"exchange"}\udc80\xff'
    line = told(exchange(target=forged, client_request_id=forged))

    assert 1 == len(line.decode().splitlines())


def test_the_details_of_each_attempt_are_redacted(exchange) -> None:
    x = exchange(attempts=[attempt(detail="Bearer CANARY9"), attempt(detail="sk-CANARY9")])

    assert b"CANARY9" not in told(x)


def test_the_detail_of_the_attempt_of_a_fallback_is_redacted_and_hidden(exchange) -> None:
    tried = attempt("http://s:1", detail="http://u:CANARY9@h refused")
    x = exchange(fallback=fallen_back("static", "spare", tried))

    assert b"CANARY9" not in told(x)
    tried.detail = "CANARY9"
    hide(x)
    assert tried.detail is None


def test_what_is_clean_is_recorded_as_it_is(exchange) -> None:
    x = exchange(host="chat.example:80", fields={"user": "7"}, detail="closed after 3 bytes")
    redact_in_place(x)

    assert ("id-1", "GET", "/api/chat") == (x.request_id, x.method, x.target)
    assert ("chat.example:80", {"user": "7"}, "closed after 3 bytes") == (
        x.host,
        x.fields,
        x.detail,
    )


def test_of_what_cannot_be_redacted_nothing_of_the_clients_is_kept(exchange) -> None:
    x = exchange(
        request_id="CANARY9", target="/CANARY9", method="CANARY9", user_agent="CANARY9",
        host="CANARY9", client_request_id="CANARY9", upstream_request_id="CANARY9",
        detail="CANARY9", fields={"user": "CANARY9"}, attempts=[attempt(detail="CANARY9")],
    )  # fmt: skip
    hide(x)

    assert b"CANARY9" not in orjson.dumps([event_of(x), story_of(x), brief_of(x)])
    assert REDACTED == x.target


def test_what_a_client_made_long_weighs_more(exchange) -> None:
    """But no more than what is looked at of it."""
    assert 1 == weight(exchange())
    assert MOST / 2 < weight(exchange(target="/" + "%25" * 1000, user_agent="a" * 9999)) < MOST
    assert weight(exchange(target="a" * 9999)) == weight(exchange(target="a" * 99999))
