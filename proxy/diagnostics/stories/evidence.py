"""What was found out at the end of an exchange, and of its connections, as a story says it."""

from proxy.attempt_record import Attempt
from proxy.evidence.record import Evidence
from proxy.exchange import Exchange
from proxy.observation.end_facts import since_sent
from proxy.observation.record import ms
from proxy.upstream.link import LinkEnd

_ENDS: dict[LinkEnd, str] = {
    "fin": "closed by the upstream",
    "reset": "reset by the upstream",
    "ours": "closed by Sidelight",
}


def connection_of(x: Exchange, attempt: Attempt) -> dict[str, object] | None:
    """The connection that carried an attempt; None where there was none."""
    link = attempt.link
    if link is None:
        return None
    told: dict[str, object] = {
        "number": link.number,
        "local": link.local,
        "peer": link.peer,
        "age_ms": ms(max(0.0, attempt.connected_at - link.opened_at)),
        "use": attempt.use,
    }
    if attempt.idle is not None:
        told["idle_ms"] = ms(attempt.idle)
    if _did_not_end_well(x, attempt):
        if link.end:
            told["end"] = _ENDS[link.end]
        if (since := since_sent(x, attempt)) is not None:
            told["since_sent_ms"] = ms(since)
    return told


def dns_of(attempt: Attempt) -> dict[str, object] | None:
    """The answer of the DNS by which it was to be connected; None where none was needed."""
    found = attempt.resolved
    if found is None or attempt.reused:
        return None
    told: dict[str, object] = {"addresses": list(found.addresses)}
    if found.before:
        told["before"] = list(found.before)
        told["changed_ms"] = ms(max(0.0, attempt.started - found.since))
    return told


def _did_not_end_well(x: Exchange, attempt: Attempt) -> bool:
    """Whether its connection ended with it: it failed, or the body after its head did."""
    if attempt.outcome is not None:
        return True
    found = x.evidence
    return attempt is x.attempts[-1] and found is not None and bool(found.framing)


def evidence_told(x: Exchange) -> dict[str, object]:
    """By the keys of a story; empty where nothing was found out."""
    found = x.evidence
    if found is None:
        return {}
    told: dict[str, object] = {
        "body": _body(x, found),
        "since_event_ms": None if found.since_event is None else ms(found.since_event),
        "round_trip_ms": None if found.round_trip is None else ms(found.round_trip),
        "stalled_ms": ms(found.stalled) if found.stalled else None,
        "client_exit": found.client_exit or None,
        "upgrade": _upgrade(found),
        "cors": found.cors or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _body(x: Exchange, found: Evidence) -> dict[str, object] | None:
    if not found.framing:
        return None
    told: dict[str, object] = {"framing": found.framing, "received": found.received}
    if x.last_byte is not None:
        told["last_byte_ms"] = ms(x.last_byte)
    if found.announced is not None:
        told["announced"] = found.announced
    if found.framing == "chunked":
        told["last_chunk"] = found.is_whole
    return told


def _upgrade(found: Evidence) -> dict[str, object] | None:
    if found.handshake is None:
        return None
    return {"asked": found.handshake, "answered": found.switched or {}}
