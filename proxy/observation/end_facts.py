"""EndFacts that the `exchange` event has beyond those of every one: where it did not end well.

They are those by which a story out of a log names the same cause as the one that is kept. A success
has of them only what it hides: a pause of Sidelight's own, an answer that a browser hides, events
that could not be seen.
"""

from collections.abc import Mapping
from typing import Final

from proxy import outcome as o
from proxy.attempt_record import Attempt
from proxy.evidence.record import Evidence
from proxy.exchange import Exchange
from proxy.tls.reasons import tls_reason

END_FIELDS: Final = (
    "connection_use",
    "connection_age_ms",
    "connection_idle_ms",
    "connection_end",
    "upload_ms",
    "since_sent_ms",
    "dns_addresses",
    "dns_before",
    "dns_changed_ms",
    "tls_reason",
    "body_framing",
    "body_announced",
    "body_received",
    "body_whole",
    "last_byte_ms",
    "since_event_ms",
    "stream_coding",
    "client_ms",
    "client_exit",
    "round_trip_ms",
    "stalled_ms",
    "upgrade_asked",
    "upgrade_answered",
    "cors",
    "circuit_opened_by",
    "circuit_opened_ms",
)
"""In their order; what is not known is left out."""

HIDDEN: Final = "may not read the answer"
"""How the words for an answer end that a browser hides from its page."""

EndFacts = dict[str, object]


def end_facts(x: Exchange) -> EndFacts:
    """Those of an exchange that has ended; lengths of time in seconds."""
    found = x.evidence
    if x.outcome is o.COMPLETED:
        return _of_success(x, found)
    facts: EndFacts = {}
    if x.attempts:
        facts |= _of_connection(x, x.attempts[-1])
    if found is not None and found.framing:
        facts |= _of_body(found)
    if x.last_byte is not None:
        facts["last_byte_ms"] = x.last_byte
    if found is not None and found.since_event is not None:
        facts["since_event_ms"] = found.since_event
    if x.raw_coding:
        facts["stream_coding"] = x.raw_coding
    facts |= _of_client(x, found)
    if x.opening is not None and x.outcome is o.CIRCUIT_OPEN:
        facts["circuit_opened_by"] = x.opening.rule
        facts["circuit_opened_ms"] = max(0.0, x.ended - x.opening.at)
    return facts


def since_sent(x: Exchange, attempt: Attempt) -> float | None:
    """From the last byte of the request to the end of an attempt; None where that was not sent.

    The last attempt ends with its exchange, an earlier one as its head came or did not.
    """
    if not attempt.sent or attempt.head is None:
        return None
    if attempt is not x.attempts[-1]:
        return attempt.head
    return max(attempt.head, x.ended - attempt.sent_at)


def _of_success(x: Exchange, found: Evidence | None) -> EndFacts:
    facts: EndFacts = {}
    if x.raw_coding:
        facts["stream_coding"] = x.raw_coding
    if found is not None:
        if found.stalled:
            facts["stalled_ms"] = found.stalled
        if found.cors.endswith(HIDDEN):
            facts["cors"] = found.cors
    return facts


def _of_connection(x: Exchange, last: Attempt) -> EndFacts:
    facts: EndFacts = {}
    if last.link is not None:
        facts["connection_use"] = last.use
        facts["connection_age_ms"] = max(0.0, last.connected_at - last.link.opened_at)
        if last.idle is not None:
            facts["connection_idle_ms"] = last.idle
        if last.link.end:
            facts["connection_end"] = last.link.end
    if last.upload:
        facts["upload_ms"] = last.upload
    if (since := since_sent(x, last)) is not None:
        facts["since_sent_ms"] = since
    return facts | _of_name(last)


def _of_name(last: Attempt) -> EndFacts:
    facts: EndFacts = {}
    found = last.resolved
    if found is not None and not last.reused:
        facts["dns_addresses"] = list(found.addresses)
        if found.before:
            facts["dns_before"] = list(found.before)
            facts["dns_changed_ms"] = max(0.0, last.started - found.since)
    if last.outcome is o.TLS_FAILURE and (reason := tls_reason(last.detail)) is not None:
        facts["tls_reason"] = reason.name
    return facts


def _of_body(found: Evidence) -> EndFacts:
    facts: EndFacts = {"body_framing": found.framing}
    if found.announced is not None:
        facts["body_announced"] = found.announced
    return facts | {"body_received": found.received, "body_whole": found.is_whole}


def _of_client(x: Exchange, found: Evidence | None) -> EndFacts:
    facts: EndFacts = {}
    if waited := x.spent.client:
        facts["client_ms"] = waited
    if found is None:
        return facts
    told: Mapping[str, object] = {
        "client_exit": found.client_exit,
        "round_trip_ms": found.round_trip,
        "stalled_ms": found.stalled or None,
        "upgrade_asked": found.handshake,
        "upgrade_answered": found.switched,
        "cors": found.cors,
    }
    return facts | {name: value for name, value in told.items() if value not in (None, "", {})}
