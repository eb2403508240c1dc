"""`Proxy-Status` (RFC 9209): which intermediary made an answer, and why, in words of a registry.

On every answer that Sidelight makes, on all of them by option. Members of others are never taken
away: ours stands behind them, because it is nearer to the client.
"""

import re
from typing import Final

from proxy.outcome import Outcome

ERRORS: Final[dict[str, str]] = {
    "bad_request": "http_request_error",
    "headers_too_large": "http_request_error",
    "uri_too_long": "http_request_error",
    "body_too_large": "http_request_error",
    "message_too_long": "http_request_error",
    "message_empty": "http_request_error",
    "request_timeout": "http_request_error",
    "not_implemented": "http_request_error",
    "http_version_not_supported": "http_request_error",
    "route_not_found": "destination_not_found",
    "method_not_allowed": "http_request_denied",
    "preflight_refused": "http_request_denied",
    "https_required": "http_request_denied",
    "media_type_not_supported": "http_request_denied",
    "upgrade_not_allowed": "http_upgrade_failed",
    "proxy_loop": "proxy_loop_detected",
    "rate_limited": "http_request_denied",
    "client_concurrency_limited": "http_request_denied",
    "concurrency_limited": "connection_limit_reached",
    "queue_timeout": "connection_limit_reached",
    "overload_shed": "connection_limit_reached",
    "pool_timeout": "connection_limit_reached",
    "circuit_open": "destination_unavailable",
    "upstream_cooling_down": "destination_unavailable",
    "no_healthy_upstream": "destination_unavailable",
    "draining": "destination_unavailable",
    "dns_failure": "dns_error",
    "connect_refused": "connection_refused",
    "connect_timeout": "connection_timeout",
    "tls_failure": "tls_protocol_error",
    "upstream_write_failed": "connection_terminated",
    "stale_connection": "connection_terminated",
    "upstream_reset": "connection_terminated",
    "head_timeout": "connection_read_timeout",
    "upstream_protocol_error": "http_protocol_error",
    "upstream_headers_too_large": "http_response_header_section_size",
    "total_timeout": "http_response_timeout",
    "first_event_timeout": "connection_read_timeout",
    "stream_stalled": "connection_read_timeout",
    "stream_truncated": "http_response_incomplete",
    "stream_reset": "http_response_incomplete",
    "stream_malformed": "http_protocol_error",
    "stream_max_duration": "http_response_timeout",
    "response_too_large": "http_response_body_size",
    "drain_cut": "http_response_incomplete",
    "internal_error": "proxy_internal_error",
}
"""The error type of each code (RFC 9209 §2.3); `tls_failure` has two more by its detail."""

UNTOLD: Final = (
    "completed",
    "upstream_error",
    "stream_error",
    "stream_empty",
    "client_closed_request",
    "client_closed_stream",
    "client_too_slow",
)
"""Codes without one: the answer is the upstream's own, or no client is left."""

TLS_ERRORS: Final = (
    ("tls_alert_received", re.compile(r"\balert\b|_ALERT_", re.IGNORECASE)),
    ("tls_certificate_error", re.compile(r"certificate|CERT_", re.IGNORECASE)),
)
"""What OpenSSL's words say of a TLS failure; the first that fits."""

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")


class ProxyStatus:
    """Lines in the name of one service. `on_all`: whether answers of the upstream carry one too."""

    def __init__(self, service: str, *, on_all: bool) -> None:
        self.on_all = on_all
        name = service if _TOKEN.fullmatch(service) else f'"{service}"'
        self._start = f"Proxy-Status: {name}".encode()
        self.plain = self._start + b"\r\n"
        """For an answer of ours that is no error."""

    def error(self, outcome: Outcome, detail: str | None = None) -> bytes:
        """For an error of ours; `detail` are the technical words, which are not sent."""
        kind = error_of(outcome.code, detail)
        if kind is None:
            return self.plain
        told = b'%b; error=%b; details="%b"\r\n'
        return told % (self._start, kind.encode(), outcome.code.encode())

    def received(self, status: int, details: str = "") -> bytes:
        """For an answer of the upstream, passed on or, for the reason `details`, replaced."""
        line = b"%b; received-status=%d" % (self._start, status)
        return line + (b'; details="%b"\r\n' % details.encode() if details else b"\r\n")


def error_of(code: str, detail: str | None = None) -> str | None:
    """The error type of a code; None where it has none."""
    if code == "tls_failure" and detail:
        for kind, words in TLS_ERRORS:
            if words.search(detail):
                return kind
    return ERRORS.get(code)
