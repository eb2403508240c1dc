"""`Proxy-Status`: which code is which error type, and how a member is spelt."""

import pytest

from proxy import outcome as o
from proxy.http.proxy_status import ERRORS, UNTOLD, ProxyStatus, error_of
from proxy.outcome import OUTCOMES, Outcome

REGISTERED = {
    "dns_timeout", "dns_error", "destination_not_found", "destination_unavailable",
    "destination_ip_prohibited", "destination_ip_unroutable", "connection_refused",
    "connection_terminated", "connection_timeout", "connection_read_timeout",
    "connection_write_timeout", "connection_limit_reached", "tls_protocol_error",
    "tls_certificate_error", "tls_alert_received", "http_request_error", "http_request_denied",
    "http_response_incomplete", "http_response_header_section_size", "http_response_header_size",
    "http_response_body_size", "http_response_trailer_section_size",
    "http_response_trailer_size", "http_response_transfer_coding",
    "http_response_content_coding", "http_response_timeout", "http_upgrade_failed",
    "http_protocol_error", "proxy_internal_response", "proxy_internal_error",
    "proxy_configuration_error", "proxy_loop_detected",
}  # fmt: skip
"""RFC 9209, section 2.3."""


def test_every_code_has_an_error_type_or_is_told_to_nobody() -> None:
    assert set(OUTCOMES) == {*ERRORS, *UNTOLD}
    assert len(OUTCOMES) == len(ERRORS) + len(UNTOLD)


def test_whatever_we_answer_with_has_an_error_type() -> None:
    answered = {code for code, row in OUTCOMES.items() if row.status and row.status != 499}

    assert answered <= set(ERRORS)


def test_error_types_are_registered() -> None:
    assert {*ERRORS.values()} <= REGISTERED


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        pytest.param(None, "tls_protocol_error", id="nothing is known"),
        pytest.param(
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
            "tls_certificate_error",
            id="a certificate that is not believed",
        ),
        pytest.param(
            "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] ssl/tls alert handshake failure (_ssl.c:1006)",
            "tls_alert_received",
            id="an alert",
        ),
        pytest.param(
            "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required",
            "tls_alert_received",
            id="an alert about our certificate",
        ),
        pytest.param(
            "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
            "tls_protocol_error",
            id="no TLS at all",
        ),
    ],
)
def test_a_tls_failure_is_told_apart_by_its_words(detail: str | None, kind: str) -> None:
    assert kind == error_of("tls_failure", detail)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        pytest.param("sidelight", b"sidelight", id="a token"),
        pytest.param("chat-proxy.eu_1", b"chat-proxy.eu_1", id="a token with signs"),
        pytest.param("1st", b'"1st"', id="a token begins with a letter"),
    ],
)
def test_the_service_is_the_identifier(service: str, name: bytes) -> None:
    assert b"Proxy-Status: " + name + b"\r\n" == ProxyStatus(service, on_all=False).plain


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        pytest.param(
            o.CONNECT_REFUSED,
            b'Proxy-Status: me; error=connection_refused; details="connect_refused"\r\n',
            id="an error",
        ),
        pytest.param(o.UPSTREAM_ERROR, b"Proxy-Status: me\r\n", id="none of ours"),
    ],
)
def test_a_member_for_an_error(outcome: Outcome, line: bytes) -> None:
    assert line == ProxyStatus("me", on_all=False).error(outcome)


def test_a_member_for_an_answer_of_the_upstream() -> None:
    status = ProxyStatus("me", on_all=True)

    assert b"Proxy-Status: me; received-status=503\r\n" == status.received(503)
    assert b'; received-status=500; details="why"\r\n' in status.received(500, "why")
