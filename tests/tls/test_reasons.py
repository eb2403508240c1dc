"""The library's words for a failed handshake become a reason with a check of its own."""

import pytest

from proxy.tls.reasons import tls_reason


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("certificate verify failed: certificate has expired (_ssl.c:1006)", "certificate_expired"),
        ("certificate verify failed: certificate is not yet valid", "certificate_not_yet_valid"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid", "wrong_name"),
        ("certificate verify failed: self-signed certificate in certificate chain",
         "unknown_authority"),
        ("certificate verify failed: unable to get local issuer certificate", "unknown_authority"),
        ("refused by a TLS alert: no client certificate?", "client_certificate"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert", "client_certificate"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "not_tls"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert", "nothing_in_common"),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred", "closed"),
    ],
)  # fmt: skip
def test_the_library_names_the_reason(words: str, name: str) -> None:
    reason = tls_reason(words)

    assert reason is not None
    assert reason.name == name
    assert reason.check.endswith(".")


@pytest.mark.parametrize("words", [None, "", "something else"])
def test_what_is_none_of_them_has_none(words: str | None) -> None:
    assert tls_reason(words) is None
