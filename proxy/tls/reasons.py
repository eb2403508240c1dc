"""Why TLS with an endpoint failed, told by the words of the library."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TlsReason:
    """`name` is for logs, `words` and `check` for people."""

    name: str
    words: str
    check: str


_RENEW: Final = "Renew the certificate of that endpoint, or set the clock of this machine right."

_REASONS: Final[tuple[tuple[tuple[str, ...], TlsReason], ...]] = (
    (
        ("certificate has expired",),
        TlsReason("certificate_expired", "its certificate has expired", _RENEW),
    ),
    (
        ("certificate is not yet valid",),
        TlsReason("certificate_not_yet_valid", "its certificate is not valid yet", _RENEW),
    ),
    (
        ("Hostname mismatch", "IP address mismatch"),
        TlsReason(
            "wrong_name",
            "its certificate is for another name",
            "Compare the names in its certificate with the endpoint, and with `tls.server_name`.",
        ),
    ),
    (
        ("self-signed certificate", "self signed certificate", "issuer certificate"),
        TlsReason(
            "unknown_authority",
            "its certificate is of an authority that is not trusted here",
            "Set `tls.ca_file` to that authority, and see whether the endpoint sends the "
            "intermediate certificates.",
        ),
    ),
    (
        ("no client certificate", "CERTIFICATE_REQUIRED", "ALERT_UNKNOWN_CA",
         "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_"),
        TlsReason(
            "client_certificate",
            "it refused the certificate of Sidelight, or the lack of one",
            "Compare `tls.certificate` of the upstream with the authorities that it trusts.",
        ),
    ),
    (
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "record layer failure"),
        TlsReason(
            "not_tls",
            "it does not speak TLS on that port",
            "See whether its port is for plain HTTP: then its URL begins with http://.",
        ),
    ),
    (
        ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS", "HANDSHAKE_FAILURE",
         "NO_SHARED_CIPHER", "INSUFFICIENT_SECURITY"),
        TlsReason(
            "nothing_in_common",
            "it has no version or cipher of TLS in common with Sidelight",
            "Compare its versions and ciphers with `tls.min_version`.",
        ),
    ),
    (
        ("UNRECOGNIZED_NAME",),
        TlsReason(
            "unknown_name",
            "it does not know the name that it was asked for",
            "Compare `tls.server_name`, or the host of the endpoint, with the names it serves.",
        ),
    ),
    (
        ("UNEXPECTED_EOF", "EOF occurred"),
        TlsReason(
            "closed",
            "it closed the connection within the handshake",
            "Look at its log at that second, and at what stands between.",
        ),
    ),
)  # fmt: skip
"""By parts of the library's words; the first that is in them."""


def tls_reason(detail: str | None) -> TlsReason | None:
    """The reason that `detail` names; None where it names none of these."""
    if not detail:
        return None
    found = (reason for parts, reason in _REASONS if any(part in detail for part in parts))
    return next(found, None)
