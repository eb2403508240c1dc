"""Prepares a finished exchange for recording: redacts and truncates it once, in place.

Whoever reads it afterwards, the log, a story, a page, an alert or the store, reads what is
recorded here and redacts nothing again. What a client sent is gone from memory with it.
"""

from proxy.attempt_record import Attempt
from proxy.evidence.record import Evidence
from proxy.exchange import Exchange
from proxy.observation.redaction import (
    FIELD_CHARS,
    METHOD_CHARS,
    PATH_CHARS,
    REDACTED,
    USER_AGENT_CHARS,
    redact,
    redact_target,
)


def redact_in_place(x: Exchange) -> None:
    """From now on nothing of `x` is secret; call it once."""
    if not x.id_is_ours:
        x.request_id = redact(x.request_id)
    x.method, x.target = redact(x.method, METHOD_CHARS), redact_target(x.target)
    if x.user_agent:
        x.user_agent = redact(x.user_agent, USER_AGENT_CHARS)
    if x.host:
        x.host = _redacted_host(x.host)
    if x.client_request_id or x.upstream_request_id or x.upstream_ids:
        _redact_ids(x)
    if x.fields:
        x.fields = {name: redact(value, FIELD_CHARS) for name, value in x.fields.items()}
    if x.evidence is not None:
        _redact_evidence(x.evidence)
    if x.detail or x.raw_coding or x.would_refuse or x.client_cert:
        _redact_details(x)
    _redact_attempts(_attempts(x))


def _redact_attempts(attempts: list[Attempt]) -> None:
    for attempt in attempts:
        if attempt.detail:
            attempt.detail = redact(attempt.detail, USER_AGENT_CHARS)
        if attempt.upstream_ids:
            attempt.upstream_ids = _redacted_ids(attempt.upstream_ids)


def hide(x: Exchange) -> None:
    """What is left of one that could not be redacted: nothing that a client or upstream chose."""
    x.request_id = x.method = x.target = REDACTED
    x.user_agent = x.host = x.client_cert = x.raw_coding = ""
    x.client_request_id = x.upstream_request_id = x.detail = x.would_refuse = None
    x.fields = {}
    x.upstream_ids = x.evidence = None
    for attempt in _attempts(x):
        attempt.detail = attempt.upstream_ids = None


def weight(x: Exchange) -> int:
    """About what it costs to record `x`, in exchanges of the usual size."""
    size = len(x.target)
    if size > PATH_CHARS:
        size = PATH_CHARS
    if len(x.user_agent) > USER_AGENT_CHARS:  # else it is one that many others send as well
        size += USER_AGENT_CHARS
    for value in x.fields.values():
        size += min(len(value), FIELD_CHARS)
    return 1 + size // 128


def _redacted_host(host: str) -> str:
    """An authority may bring its userinfo, which only shows behind slashes."""
    return redact(f"//{host}").removeprefix("//") if "@" in host or "%" in host else redact(host)


def _redact_ids(x: Exchange) -> None:
    if x.client_request_id:
        x.client_request_id = redact(x.client_request_id)
    if x.upstream_request_id:
        x.upstream_request_id = redact(x.upstream_request_id)
    if x.upstream_ids:
        x.upstream_ids = _redacted_ids(x.upstream_ids)


def _redact_details(x: Exchange) -> None:
    if x.client_cert:
        x.client_cert = redact(x.client_cert, FIELD_CHARS)
    if x.raw_coding:
        x.raw_coding = redact(x.raw_coding)
    if x.would_refuse:
        x.would_refuse = redact(x.would_refuse, USER_AGENT_CHARS)
    if x.detail:
        x.detail = redact(x.detail, USER_AGENT_CHARS)


def _redact_evidence(found: Evidence) -> None:
    """What a client or an upstream chose."""
    found.cors = redact(found.cors, USER_AGENT_CHARS)
    for fields in (found.handshake, found.switched):
        if fields:
            fields.update({name: redact(value, FIELD_CHARS) for name, value in fields.items()})


def _attempts(x: Exchange) -> list[Attempt]:
    """Those of the exchange, and that of its fallback."""
    if x.fallback is None or x.fallback.attempt is None:
        return x.attempts
    return [*x.attempts, x.fallback.attempt]


def _redacted_ids(ids: dict[str, str]) -> dict[str, str]:
    return {name: redact(value) for name, value in ids.items()}
