"""What was found out about connections, bodies and the client, in words: for text and pages."""

from collections.abc import Iterator
from typing import Final

from proxy.admin.json_view import JsonObject, as_count, as_number, length, part, text
from proxy.diagnostics.stories.words import count

_EXITS: Final = {"fin": "it closed its side (FIN)", "reset": "its connection broke (RST)"}
_SIGNIFICANT: Final = 50.0
"""Milliseconds by which silence of events must exceed that of bytes to be worth a word."""


def connection_words(attempt: JsonObject) -> str:
    """`connection 7 from 10.0.0.3:40312, use 12, 31 s old, idle for 4 s, reset by the upstream`."""
    link = part(attempt, "connection")
    if not link:
        return ""
    words = [f"connection {text(link, 'number')}"]
    if local := text(link, "local"):
        words[0] += f" from {local}"
    if peer := text(link, "peer"):
        words[0] += f" to {peer}"
    words.append(f"use {text(link, 'use')}")
    for key, form in (("age_ms", "{} old"), ("idle_ms", "idle for {} before")):
        if (value := as_number(link, key)) is not None:
            words.append(form.format(length(value)))
    if end := text(link, "end"):
        words.append(end)
    return ", ".join(words)


def evidence_lines(story: JsonObject) -> Iterator[tuple[str, str]]:
    """A name and what is to be said under it."""
    if body := part(story, "body"):
        yield "Body", _body(body)
    if (silence := _silence(story)) is not None:
        yield "Silence", silence
    if exit_ := text(story, "client_exit"):
        yield "Client left", _EXITS.get(exit_, exit_)
    if (trip := as_number(story, "round_trip_ms")) is not None:
        yield "Round trip", f"{length(trip)} to the client"
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
        return f"{received} of {announced:g} announced"
    if body.get("last_chunk") is False:
        return f"{received} in chunks, no last chunk"
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
