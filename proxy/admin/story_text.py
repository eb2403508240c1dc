"""A story as plain text, for terminals and for pasting into a chat."""

import textwrap
from collections.abc import Iterator
from typing import Final

from proxy.admin.around_text import around_lines, diagnosis_parts
from proxy.admin.choice_text import chosen_lines, endpoint_words
from proxy.admin.evidence_text import evidence_lines, link_lines
from proxy.admin.json_view import (
    JsonObject,
    as_number,
    length,
    milliseconds,
    part,
    parts_of,
    rows,
    text,
    texts,
)
from proxy.admin.timeline import extent, lanes_of
from proxy.diagnostics.stories.runbooks import RUNBOOKS

_WIDTH: Final = 96
_SCALE: Final = 48
_SIGNS: Final = {
    "queue": "q", "connect": "c", "upload": "u", "wait": "-", "pause": " ", "body": "=",
    "events": "=", "gap": ".", "silence": ".",
}  # fmt: skip


def story_text(story: JsonObject) -> str:
    """The same as the page of a request: diagnosis first, then the evidence."""
    sections = (
        _title(story), _diagnosis(story), around_lines(story), _drawing(story), _attempts(story),
        (*_facts(story), *_evidence(story)), _clocks(story), _runbook(story),
    )  # fmt: skip
    return "\n\n".join(found for lines in sections if (found := "\n".join(lines)))


def _title(story: JsonObject) -> Iterator[str]:
    yield text(story, "request_id")
    status = text(story, "status", "no status")
    yield (
        f"{text(story, 'at')}  {text(story, 'method')} {text(story, 'path')}  "
        f"{status} → {text(story, 'code')} ({text(story, 'term')})  "
        f"{milliseconds(story, 'duration_ms')}"
    )


def _diagnosis(story: JsonObject) -> Iterator[str]:
    """Its parts, a paragraph each."""
    for name, said in diagnosis_parts(story):
        yield from _wrapped(said, " " * 12, f"{name}:".ljust(12))


def _wrapped(paragraph: str, indent: str = "", first: str | None = None) -> list[str]:
    first = indent if first is None else first
    return textwrap.wrap(paragraph, _WIDTH, initial_indent=first, subsequent_indent=indent)


def _drawing(story: JsonObject) -> Iterator[str]:
    lanes, scale = lanes_of(story), _SCALE / extent(story)
    for lane in lanes:
        row = [" "] * (_SCALE + 1)
        for bar in lane.bars:
            begin = min(int(bar.began * scale), _SCALE)
            end = min(max(int(bar.ended * scale), begin + 1), _SCALE + 1)
            row[begin:end] = _SIGNS[bar.kind] * (end - begin)
        words = ", ".join(bar.words for bar in lane.bars)
        yield f"{lane.name:<10} |{''.join(row)}|  {words} → {lane.end}"


def _attempts(story: JsonObject) -> Iterator[str]:
    for attempt in rows(story, "attempts"):
        result = text(attempt, "status") or text(attempt, "result", "?")
        said = (endpoint_words(attempt), connection(attempt), f"{result}; {then(attempt)}")
        yield f"Attempt {text(attempt, 'number')}: {', '.join(filter(None, said))}"
        for line in chosen_lines(attempt):
            yield f"           {line}"
        if detail := text(attempt, "detail"):
            yield f"           {detail}"
        for words in link_lines(attempt):
            yield f"           {words}"


def connection(attempt: JsonObject) -> str:
    """Which one it was and whether anything was sent; a log does not say it of every attempt."""
    words = []
    if "reused" in attempt:
        words.append("reused connection" if attempt["reused"] is True else "new connection")
    if attempt.get("sent") is False:
        words.append("nothing sent")
    return ", ".join(words)


def then(attempt: JsonObject) -> str:
    """What followed an attempt, and why."""
    why = text(attempt, "why").replace("_", " ")
    said = text(attempt, "then", "ended")
    line = f"{said} ({why})" if why else said
    pause, budget = as_number(attempt, "pause_ms"), as_number(attempt, "budget_left")
    after = "" if pause is None else f" after {length(pause)}" if pause else " at once"
    left = f", retry budget {budget:g} left" if budget is not None else ""
    return line + after + left


def _facts(story: JsonObject) -> Iterator[str]:
    route, breaker, client = part(story, "route"), part(story, "breaker"), part(story, "client")
    if route:
        why = f" ({text(route, 'why')})" if text(route, "why") else ""
        yield f"Route:     {text(route, 'name')} → {text(route, 'upstream')}{why}"
    if breaker:
        yield f"Circuit:   {circuit(breaker)}"
    if client:
        yield from _client(story, client)
    if fallback := part(story, "fallback"):
        yield f"Fallback:  {fell_back(fallback)}"
    for row in rows(story, "guards"):
        if text(row, "decision") == "refused":
            yield f"Refused:   by {text(row, 'guard').replace('_', ' ')}"
    if parts := parts_of(story):
        yield f"Time:      {parts}"
    ids = _ids_of_others(story)
    if ids:
        yield "IDs:       " + ", ".join(ids)
    fields = part(story, "fields")
    if fields:
        yield "Fields:    " + ", ".join(f"{name}={value}" for name, value in fields.items())
    yield _served_by(story)


def _client(story: JsonObject, client: JsonObject) -> Iterator[str]:
    shown = text(story, "client_cert")
    named = f" ({shown})" if shown else ""
    yield f"Client:    {text(story, 'client_ip')}{named} got {got(client)}"
    if agent := text(story, "user_agent"):
        yield f"Agent:     {agent}"


def settings_of(story: JsonObject) -> str:
    """Which settings it ran under, and whether others took their place meanwhile."""
    later = text(story, "config_replaced_by")
    return text(story, "config_hash", "?") + (
        f" (replaced by {later} while it ran)" if later else ""
    )


def _evidence(story: JsonObject) -> Iterator[str]:
    for name, said in evidence_lines(story):
        yield from _wrapped(said, " " * 11, f"{name}:".ljust(11) + (" " if len(name) > 9 else ""))


def _ids_of_others(story: JsonObject) -> list[str]:
    client, upstream = text(story, "client_request_id"), text(story, "upstream_request_id")
    named = part(story, "upstream_ids") or ({"upstream": upstream} if upstream else {})
    ids = {"client": client, **named} if client else named
    trace = text(story, "trace_url") or text(story, "trace_id")
    return [f"{name} {value}" for name, value in ids.items()] + ([f"trace {trace}"] * bool(trace))


def got(client: JsonObject) -> str:
    """What the client was given in the end."""
    kind, message = text(client, "got").replace("_", " "), text(client, "message")
    wait = as_number(client, "retry_after")
    after = f" (again after {wait:g} s)" if wait is not None else ""
    return f"{kind}: {message}{after}" if message else kind + after


def fell_back(fallback: JsonObject) -> str:
    """What was given in the upstream's place, and what the upstream that was asked did."""
    given, asked = text(fallback, "given", "none"), text(fallback, "upstream")
    result = text(fallback, "status") or text(fallback, "result")
    words = [given]
    if asked:
        words.append(f"{asked} {text(fallback, 'endpoint')}".strip() + f": {result or 'not asked'}")
    if detail := text(fallback, "detail"):
        words.append(detail)
    if code := text(fallback, "code"):
        words.append(f"ended as {code}")
    return "; ".join(words)


def circuit(breaker: JsonObject) -> str:
    """The state before and after, and the counts where they are known."""
    before, after = text(breaker, "before"), text(breaker, "after")
    moved = after if before in ("", after) else f"{before} → {after}"
    failures, attempts = as_number(breaker, "failures"), as_number(breaker, "attempts")
    if failures is None or attempts is None:
        return moved
    window = as_number(breaker, "window_ms")
    within = f" in {length(window)}" if window else ""
    return f"{moved}, {failures:g} of {attempts:g} attempts failed{within}"


def _clocks(story: JsonObject) -> Iterator[str]:
    for clock in rows(story, "clocks"):
        elapsed = as_number(clock, "elapsed_ms")
        if elapsed is None:
            continue
        mark = "  ← ran out" if clock.get("ran_out") is True else ""
        limit = milliseconds(clock, "configured_ms", "off")
        yield f"{text(clock, 'clock'):<16} {length(elapsed):>10} of {limit}{mark}"


def _runbook(story: JsonObject) -> Iterator[str]:
    key = text(story, "runbook")
    runbook = RUNBOOKS.get(key)
    if runbook is None:
        return
    yield f"Runbook: {key}"
    yield from _wrapped(runbook.cause, "  ")
    for title, items in (("Check", runbook.checks), ("Fix", runbook.fixes)):
        for item in items:
            yield from _wrapped(item, " " * 9, f"  {title:<5}: ")


def _served_by(story: JsonObject) -> str:
    worker, instance = text(story, "worker", "0"), text(story, "instance")
    config = f"Config:    {settings_of(story)}, worker {worker}"
    return f"{config} of {instance}" if instance else config


def group_line(group: JsonObject) -> str:
    """One line of `sidelight errors`."""
    samples = texts(group, "samples")
    where = "/".join(filter(None, (text(group, "route"), text(group, "upstream"))))
    return (
        f"{text(group, 'last_seen')[:19]}  {text(group, 'last_24h', '0'):>6} in 24 h  "
        f"{text(group, 'severity'):<8}  {text(group, 'code')}  {where}  "
        f"{text(group, 'fingerprint')}  {samples[0] if samples else ''}"
    ).rstrip()


def breaker_line(breaker: JsonObject) -> str:
    """One line of `sidelight breakers`."""
    failed = as_number(breaker, "failure_count") or 0.0
    made = failed + (as_number(breaker, "success_count") or 0.0)
    wait = as_number(breaker, "retry_in_seconds") or 0.0
    probe = f"  probe in {wait:.0f} s" if wait >= 1 else ""
    state = text(breaker, "state") if breaker.get("enabled") is not False else "none"
    changes = rows(breaker, "changes")
    last = f"  since {text(changes[0], 'at')} ({text(changes[0], 'cause')})" if changes else ""
    return (
        f"{text(breaker, 'route'):<24}  {state:<9}  {failed:g} of {made:g} attempts failed"
        f"{probe}{last}"
    )
