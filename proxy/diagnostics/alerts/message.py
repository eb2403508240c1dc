"""The HTTP message of an alert: JSON body and headers, signed where a secret is set.

The signature is `sha256=` and the hex HMAC-SHA256 of the timestamp, a dot, and the body; whoever
checks it should refuse timestamps that are older than a few minutes.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final

SIGNATURE: Final = "X-Sidelight-Signature"
TIMESTAMP: Final = "X-Sidelight-Timestamp"

Shown = Mapping[str, object]


def message_body(alert: Shown, event: str, service: str, form: str, host: str = "") -> bytes:
    """`event` is raised, reminder, cleared or test; `form` as a webhook's `format` says."""
    if form == "slack":
        return json.dumps({"text": text_of(alert, event, service, host)}).encode()
    body = {"event": event, "service": service, "host": host, "alert": dict(alert)}
    return json.dumps(body).encode()


def text_of(alert: Shown, event: str, service: str, host: str = "") -> str:
    """The alert in a few lines, as a person reads it on a phone."""
    samples, links = alert.get("samples"), alert.get("links")
    who = f"{service} on {host}" if host else service
    lines = [
        f"[{who}] {event.upper()} {alert['severity']}: {alert['rule']}",
        str(alert["summary"]),
        f"Runbook: {alert['runbook']}",
    ]
    if isinstance(samples, list) and samples:
        lines.append(f"Reference IDs: {', '.join(map(str, samples))}")
    traces = alert.get("traces")
    if isinstance(traces, dict):
        lines.append(f"Traces: {', '.join(map(str, traces.values()))}")
    if isinstance(links, list) and links:
        lines.append(f"Stories: {' '.join(map(str, links))}")
    return _escaped("\n".join(lines))


def headers_of(body: bytes, secret: str | None, wall: float) -> dict[str, str]:
    """The content type, the time, and the signature where there is a secret."""
    at = str(int(wall))
    headers = {"Content-Type": "application/json", TIMESTAMP: at}
    if secret is not None:
        headers[SIGNATURE] = signature(body, secret, at)
    return headers


def signature(body: bytes, secret: str, at: str) -> str:
    digest = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def _escaped(text: str) -> str:
    """As Slack wants it: three characters have a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
