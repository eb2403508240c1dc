"""What was found out about connections, bodies and the client, in words: for text and pages."""

from collections.abc import Iterator
from typing import Final

from proxy.admin.json_view import JsonObject, as_count, as_number, length, part, text, texts
from proxy.diagnostics.stories.words import count

_EXITS: Final = {"fin": "it closed its side (FIN)", "reset": "its connection broke (RST)"}
_SHORTEST: Final = 0.1
"""Milliseconds that are shown."""
_SIGNIFICANT: Final = 50.0
"""Milliseconds by which silence of events must exceed that of bytes to be worth a word."""


def connection_words(attempt: JsonObject) -> str:
    """`connection 7 from 10.0.0.3:40312, use 12, 31 s old, idle for 4 s, reset by the upstream`."""
    link = part(attempt, "connection")
    if not link:
        return ""
    words = [f"connection {text(link, 'number')}".rstrip()]
    if local := text(link, "local"):
        words[0] += f" from {local}"
    if peer := text(link, "peer"):
        words[0] += f" to {peer}"
    words.append(f"use {text(link, 'use')}")
    for key, form in (("age_ms", "{} old"), ("idle_ms", "idle for {} before")):
        if (value := as_number(link, key)) is not None:
            words.append(form.format(length(value)))
    end, since = text(link, "end"), as_number(link, "since_sent_ms")
    if end and since is not None:
        end += f" {length(since)} after the last byte of the request was sent"
    if end:
        words.append(end)
    return ", ".join(words)


def link_lines(attempt: JsonObject) -> Iterator[str]:
    """What is known of the connection that an attempt had or was to have."""
    return filter(None, (_dns_words(attempt), connection_words(attempt)))


def _dns_words(attempt: JsonObject) -> str:
    """`10.0.0.3, changed 4.0 s before from 10.0.0.2`; empty where the DNS was not needed."""
    dns = part(attempt, "dns")
    said = ", ".join(texts(dns, "addresses"))
    if said and (changed := as_number(dns, "changed_ms")) is not None:
        said += f", changed {length(changed)} before from {', '.join(texts(dns, 'before'))}"
    return f"DNS: {said}" if said else ""


def evidence_lines(story: JsonObject) -> Iterator[tuple[str, str]]:
    """A name and what is to be said under it."""
    if body := part(story, "body"):
        yield "Body", _body(body)
    if (silence := _silence(story)) is not None:
        yield "Silence", silence
    if exit_ := text(story, "client_exit"):
        yield "Client left", _EXITS.get(exit_, exit_)
    if (trip := as_number(story, "round_trip_ms")) is not None:
        said = length(trip) if trip >= _SHORTEST else f"less than {length(_SHORTEST)}"
        yield "Round trip", f"{said} to the client"
    if (stalled := as_number(story, "stalled_ms")) is not None:
        yield "Own pause", f"Sidelight itself stood still for {length(stalled)}"
    if upgrade := part(story, "upgrade"):
        yield "Upgrade", f"asked: {_fields(upgrade, 'asked')}"
        yield "Answered", _fields(upgrade, "answered") or "no field of an upgrade"
    if cors := text(story, "cors"):
        yield "CORS", cors


def _body(body: JsonObject) -> str:
    received = count(as_count(body, "received"), "byte")
    announced = as_number(body, "announced")
    if announced is not None:
        return f"{received} of {announced:.0f} announced"
    if body.get("last_chunk") in (True, False):
        return f"{received} in chunks, {'with' if body['last_chunk'] else 'no'} last chunk"
    return f"{received}, length not announced"


def _silence(story: JsonObject) -> str | None:
    """At the end, by bytes and by events where they differ."""
    by_bytes = as_number(part(story, "stream"), "silent_ms")
    by_events = as_number(story, "since_event_ms")
    if by_bytes is None or by_events is None:
        return None
    said = f"{length(by_bytes)} without a byte, {length(by_events)} without an event"
    if by_events - by_bytes > _SIGNIFICANT:
        said += ": comments came after the last event"
    return said


def _fields(upgrade: JsonObject, side: str) -> str:
    return ", ".join(f"{name}: {value}" for name, value in part(upgrade, side).items())
