"""The page of one request: what happened in plain words first, then the evidence."""

from collections.abc import Sequence

from proxy.admin.choice_text import chosen_lines, endpoint_words
from proxy.admin.evidence_text import evidence_lines, link_lines
from proxy.admin.json_view import (
    JsonObject,
    as_count,
    as_number,
    length,
    milliseconds,
    part,
    parts_of,
    rows,
    text,
    texts,
)
from proxy.admin.pages.around import culprits, diagnosis, neighbours, usual
from proxy.admin.pages.drawing import timeline
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import (
    badge,
    code,
    facts,
    link,
    requests_link,
    route_link,
    section,
    state,
    table,
    when,
)
from proxy.admin.pages.requests import field_link, listed, store_note
from proxy.admin.pages.runbook import runbook_aside
from proxy.admin.sources import FoundView
from proxy.admin.story_text import (
    circuit,
    connection,
    fell_back,
    got,
    settings_of,
    story_text,
    then,
)
from proxy.diagnostics.stories.story import summary_of

_MOST = 10
_NEAR = 0.8
"""Share of a limit above which a clock is worth a look."""


def request_page(found: FoundView) -> list[Content]:
    """All stories under one ID, newest first; clients may send an ID twice."""
    stories = found.stories[:_MOST]
    older = [summary_of(story) for story in found.stories[_MOST:]]
    several = f"{len(found.stories)} requests came under this ID; the newest stands first."
    return [
        store_note(found.store),
        el("p", several, class_="quiet") if len(stories) > 1 else None,
        [_story(story, is_shared=found.is_shared) for story in stories],
        section("Older ones under this ID", listed(older)) if older else None,
    ]


def _story(story: JsonObject, *, is_shared: bool) -> Markup:
    around = [neighbours(story, is_shared=is_shared), culprits(story), usual(story)]
    tried = _attempts(rows(story, "attempts"))
    evidence = [*around, tried, _stream(story), _facts(story), _text(story)]
    asked = f"{text(story, 'method')} {text(story, 'path')}"
    aside = el("div", _clocks(story), _guards(story))
    runbook = runbook_aside(text(story, "runbook"))
    return el(
        "article",
        el("h1", code(story), " ", el("span", asked, class_="cut")),
        el("p", _title(story), class_="quiet"),
        el("div", diagnosis(story), runbook, class_="beside"),
        timeline(story),
        el("div", el("div", evidence), aside, class_="beside"),
    )  # fmt: skip


def _title(story: JsonObject) -> list[Content]:
    return [
        el("code", text(story, "request_id"), data_copy=True),
        f" · status {text(story, 'status', 'none')} · ",
        when(text(story, "at")),
        f" · took {milliseconds(story, 'duration_ms')}",
    ]


def _attempts(attempts: Sequence[JsonObject]) -> Markup | None:
    if not attempts:
        return section("Attempts", el("p", "None: the upstream was not asked.", class_="nothing"))
    heads = ("", "Endpoint", "Connection", "Queue", "Connect", "Head", "Result", "Then")
    return section("Attempts", table(heads, [_attempt(each) for each in attempts], "Attempts"))


def _attempt(attempt: JsonObject) -> tuple[Content, ...]:
    status, detail = text(attempt, "status"), text(attempt, "detail")
    is_ok = text(attempt, "result") == "ok"
    result = badge(status or text(attempt, "result", "?"), "good" if is_ok else "bad")
    return (
        text(attempt, "number"),
        [el("code", _endpoint(attempt)), *(_line(each) for each in chosen_lines(attempt))],
        [connection(attempt), *map(_line, link_lines(attempt))],
        milliseconds(attempt, "queue_ms"),
        milliseconds(attempt, "connect_ms"),
        milliseconds(attempt, "head_ms"),
        [result, el("small", " ", detail) if detail else None],
        then(attempt),
    )


def _endpoint(attempt: JsonObject) -> Content:
    """Leads to all requests that asked there."""
    endpoint, words = text(attempt, "endpoint"), endpoint_words(attempt)
    return requests_link(words, endpoint=endpoint) if endpoint else words


def _line(words: str) -> Markup:
    return el("div", el("small", words))


def _stream(story: JsonObject) -> Markup | None:
    stream = part(story, "stream")
    if not stream:
        return None
    held = as_count(stream, "held_bytes")
    pairs = (
        ("Head after", milliseconds(stream, "head_ms", "")),
        ("First event after", _first(stream)),
        ("Events", f"{as_count(stream, 'events')} in {as_count(stream, 'reads')} reads"),
        ("Longest gap", _gap(stream)),
        ("Last byte after", milliseconds(stream, "last_byte_ms", "")),
        ("Silent at the end", milliseconds(stream, "silent_ms", "")),
        ("Held back, discarded", f"{held} bytes" if held else ""),
        ("End marker", text(stream, "end_marker")),
        ("Told in the stream", "yes" if stream.get("told") is True else ""),
    )  # fmt: skip
    return section("Stream", facts(pairs))


def _first(stream: JsonObject) -> str:
    """From the opening, and from the head, which is where its clock begins."""
    first, head = as_number(stream, "first_event_ms"), as_number(stream, "head_ms")
    if first is None:
        return ""
    since = f", {length(max(0.0, first - head))} after the head" if head is not None else ""
    return f"{length(first)}{since}"


def _gap(stream: JsonObject) -> str:
    at = milliseconds(stream, "max_gap_at_ms", "")
    gap = milliseconds(stream, "max_gap_ms", "")
    return f"{gap}, {at} after the beginning" if at and gap else gap


def _clocks(story: JsonObject) -> Markup | None:
    shown = [
        (text(clock, "clock"), milliseconds(clock, "elapsed_ms"),
         milliseconds(clock, "configured_ms", "off"), _use(clock))
        for clock in rows(story, "clocks")
        if as_number(clock, "elapsed_ms")
    ]  # fmt: skip
    if not shown:
        return None
    return section("Clocks", table(("Clock", "Elapsed", "Limit", ""), shown, "Clocks that ran"))


def _use(clock: JsonObject) -> Markup | None:
    if clock.get("ran_out") is True:
        return badge("ran out", "bad")
    elapsed, limit = as_number(clock, "elapsed_ms"), as_number(clock, "configured_ms")
    return badge("near", "warn") if elapsed and limit and elapsed > _NEAR * limit else None


def _facts(story: JsonObject) -> Markup:
    route, client, breaker = part(story, "route"), part(story, "client"), part(story, "breaker")
    agent = text(story, "user_agent")
    upstream_ids = part(story, "upstream_ids") or {"ID": text(story, "upstream_request_id")}
    methods = ", ".join(texts(part(route, "match"), "methods"))
    name, upstream = text(route, "name"), text(route, "upstream")
    times = (f"{name.removesuffix('_ms')} {milliseconds(part(story, 'times'), name)}"
             for name in part(story, "times"))  # fmt: skip
    pairs: tuple[tuple[str, Content], ...] = (
        ("Route", [route_link(name, name), f" → {upstream}"] if route else "none"),
        ("Because", text(route, "why") or methods),
        ("Client", text(story, "client_ip")),
        ("Agent", requests_link(agent, agent=agent) if agent else ""),
        ("Certificate", text(story, "client_cert")),
        ("It got", got(client)),
        ("Fallback", fell_back(fallback) if (fallback := part(story, "fallback")) else ""),
        ("Bytes", f"{as_count(story, 'bytes_in')} in, {as_count(story, 'bytes_out')} out"),
        ("Circuit", circuit(breaker) if breaker else ""),
        ("Retry stopped", text(story, "retry_stopped").replace("_", " ")),
        *evidence_lines(story),
        ("Where the time went", parts_of(story) or ", ".join(times)),
        ("Sidelight itself", milliseconds(story, "overhead_ms", "")),
        ("Detail", text(story, "detail")),
        ("Fault", text(story, "fault")),
        *((name, field_link(name, str(value))) for name, value in part(story, "fields").items()),
        ("Client's own ID", text(story, "client_request_id")),
        *((f"Upstream's {name}", str(value)) for name, value in upstream_ids.items()),
        ("Trace", _trace(story)),
        ("Instance", text(story, "instance")),
        ("Settings", f"{settings_of(story)}, worker {text(story, 'worker', '0')}"),
    )
    return section("Facts", facts(pairs))


def _guards(story: JsonObject) -> Markup | None:
    shown = [
        el("li", text(row, "guard").replace("_", " "), " ", state(text(row, "decision")))
        for row in rows(story, "guards")
    ]
    return section("Guards and limits", el("ul", shown, class_="guards")) if shown else None


def _text(story: JsonObject) -> Markup:
    raw = link("JSON", "api", "requests", text(story, "request_id"))
    body = el("pre", story_text(story), tabindex="0", data_copy=True)
    return el("details", el("summary", "As text, to be pasted"), body, el("p", raw))


def _trace(story: JsonObject) -> Content:
    trace_id, url = text(story, "trace_id"), text(story, "trace_url")
    return el("a", trace_id, href=url, rel="noreferrer") if url else trace_id
