"""What the `exchange` event says of connection, body and client, put back into a record."""

from collections.abc import Mapping
from typing import Final, cast, get_args

from proxy.attempt_record import Attempt
from proxy.client.exits import ClientExit
from proxy.evidence.record import Evidence
from proxy.exchange import Exchange
from proxy.resilience.opening import Opening
from proxy.upstream.link import Link, LinkEnd
from proxy.upstream.resolved import Resolved

LogEvent = Mapping[str, object]

_LARGEST: Final = 1e15
"""No size and no length of time is larger; it counts as missing."""
_ENDS: Final = tuple(get_args(LinkEnd))
_EXITS: Final = tuple(get_args(ClientExit))
_FRAMINGS: Final = ("length", "chunked", "close")
_RULES: Final = ("consecutive", "ratio", "probe_failed", "manual")


def logged_text(event: LogEvent, name: str) -> str:
    """Empty where there is none."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


def logged_number(event: LogEvent, name: str) -> float:
    """0 where there is none, or none that could be."""
    value = event.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return value if 0 <= value <= _LARGEST else 0.0


def logged_seconds(event: LogEvent, name: str) -> float | None:
    """Of a field in milliseconds; None where it is not there."""
    return logged_number(event, name) / 1000 if name in event else None


def add_end_facts(x: Exchange, event: LogEvent) -> None:
    """Put them into a record that was made of `event`."""
    x.last_byte = logged_seconds(event, "last_byte_ms")
    x.raw_coding = logged_text(event, "stream_coding")
    x.is_raw = bool(x.raw_coding)
    x.spent.client = logged_seconds(event, "client_ms") or 0.0
    rule, ago = logged_text(event, "circuit_opened_by"), logged_seconds(event, "circuit_opened_ms")
    if rule in _RULES and ago is not None:
        x.opening = Opening(rule, x.ended - ago)
    if x.attempts:
        _add_connection(x, x.attempts[-1], event)
    x.evidence = _evidence(event)


def _add_connection(x: Exchange, last: Attempt, event: LogEvent) -> None:
    last.upload = logged_seconds(event, "upload_ms") or 0.0
    since = logged_seconds(event, "since_sent_ms")
    if since is not None:
        last.started = x.ended - since - last.upload - (last.connect or 0.0)
    age = logged_seconds(event, "connection_age_ms")
    if age is not None:
        last.link, last.use = Link(last.connected_at - age, "", ""), _whole(event, "connection_use")
        last.idle = logged_seconds(event, "connection_idle_ms")
        end = logged_text(event, "connection_end")
        last.link.end = cast("LinkEnd", end) if end in _ENDS else ""
    found, before = _texts(event, "dns_addresses"), _texts(event, "dns_before")
    if found:
        changed = logged_seconds(event, "dns_changed_ms") or 0.0
        last.resolved = Resolved(found, last.started - changed, before)


def _evidence(event: LogEvent) -> Evidence | None:
    found = Evidence()
    framing, exit_ = logged_text(event, "body_framing"), logged_text(event, "client_exit")
    if framing in _FRAMINGS:
        found.framing, found.received = framing, _whole(event, "body_received")
        found.announced = _whole(event, "body_announced") if "body_announced" in event else None
        found.is_whole = event.get("body_whole") is True
    found.client_exit = cast("ClientExit", exit_) if exit_ in _EXITS else ""
    found.since_event = logged_seconds(event, "since_event_ms")
    found.round_trip = logged_seconds(event, "round_trip_ms")
    found.stalled = logged_seconds(event, "stalled_ms") or 0.0
    found.handshake = _fields(event, "upgrade_asked")
    found.switched = _fields(event, "upgrade_answered")
    found.cors = logged_text(event, "cors")
    return found


def _whole(event: LogEvent, name: str) -> int:
    return int(logged_number(event, name))


def _texts(event: LogEvent, name: str) -> list[str]:
    value = event.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _fields(event: LogEvent, name: str) -> dict[str, str] | None:
    value = event.get(name)
    if not isinstance(value, dict):
        return None
    return {k: v for k, v in value.items() if isinstance(v, str)}
