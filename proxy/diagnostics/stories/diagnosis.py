"""The diagnosis: what is proven about how an exchange ended, what is likely, what to check next.

A table says for each outcome what happened; what follows it (earlier attempts, the client, the
circuit) is the same for all. Proven is what the record says; inferences are told as such.
"""

# ruff: noqa: E501  # the table is read by rows: one code, one line

from collections.abc import Mapping
from typing import Final

from proxy import outcome as o
from proxy.attempt_record import Attempt
from proxy.diagnostics.stories.circumstances import (
    NO_END_MARKER,
    circumstances_of,
    own_inference,
    own_runbook,
)
from proxy.diagnostics.stories.client_end import Got, client_got
from proxy.diagnostics.stories.clocks import ran_out
from proxy.diagnostics.stories.facts import Facts
from proxy.diagnostics.stories.fallbacks import fallback_words
from proxy.diagnostics.stories.inference import infer
from proxy.diagnostics.stories.usually import unusual
from proxy.diagnostics.stories.words import count, lasting, limit
from proxy.exchange import Exchange
from proxy.observation.redaction import redact
from proxy.outcome import COMPLETED, NotRetried, signal_of

HAPPENED: Final[dict[str, str]] = {
    "completed": "{upstream} answered {status}, and the whole answer was passed on after {duration}{pace}.{stream}",
    "upstream_error": "{upstream} answered {status} after {duration}{detail}.",
    "bad_request": "the request broke the rules of HTTP and was refused before a route was looked for{detail}.",
    "headers_too_large": "the headers of the request were over the limit of the listener{detail}.",
    "uri_too_long": "the request line was over the limit of the listener{detail}.",
    "body_too_large": "the body of the request was over the limit of {largest} of {route}{detail}.",
    "message_too_long": "the message in the JSON of the request was longer than {route} takes{detail}.",
    "message_empty": "the JSON of the request had no message in it, or an empty one{detail}.",
    "request_timeout": "the client began a request and did not finish it; {sent_in}{detail}.",
    "not_implemented": "the client asked for something that Sidelight does not do, by the method {method} or a transfer coding{detail}.",
    "http_version_not_supported": "the request spoke a version of HTTP that is not supported{detail}.",
    "route_not_found": "no route matches the host and path of the request, its headers and query included{detail}.",
    "method_not_allowed": "a route matches the path, but none of them takes the method {method}{detail}.",
    "preflight_refused": "a page of another origin asked for leave and was granted nothing{detail}.",
    "https_required": "the client came by plain HTTP, and {route} is for https only.",
    "media_type_not_supported": "the body of the request was of a type that {route} does not take{detail}.",
    "upgrade_not_allowed": "the client asked for a WebSocket, which {route} does not allow.",
    "proxy_loop": "the request had passed this very Sidelight before.",
    "rate_limited": "the client asked more often than {route} lets it{detail}.{retry_in}",
    "client_concurrency_limited": "the client had as many requests under way on {route} as one client may have{detail}.",
    "concurrency_limited": "as many requests were under way as may be, and there was no room in the queue{detail}.",
    "queue_timeout": "no place on {route} came free within {queued}, and concurrency.wait ended the wait{detail}.",
    "overload_shed": "Sidelight had more to do than it can, so this one was refused before anything else{detail}.",
    "pool_timeout": "no connection to {service} came free within {queued}; {limit} ended the wait{detail}.",
    "circuit_open": "the circuit of {route} was {opened}, so {service} was not asked.{retry_in}",
    "upstream_cooling_down": "{service} had asked for rest, and {route} obeys, so it was not asked.{retry_in}",
    "no_healthy_upstream": "the health checks had found no endpoint of {service} healthy, so none was asked{detail}.{retry_in}",
    "draining": "Sidelight was shutting down and took no new requests{detail}.",
    "dns_failure": "the name of {endpoint} has no address{detail}.",
    "connect_refused": "{endpoint} refused the connection, or the network did{detail}.",
    "connect_timeout": "no connection to {endpoint} came about; {limit} ended the attempt{detail}.",
    "tls_failure": "no TLS came about with {endpoint}{detail}.",
    "upstream_write_failed": "the connection to {endpoint} broke while the request was being sent{detail}.",
    "stale_connection": "{endpoint} closed a kept connection before a byte of the request was acknowledged{detail}.",
    "upstream_reset": "{endpoint} closed {connection} without an answer, {at_work}, after {waited}{detail}.",
    "head_timeout": "{endpoint} was sent the request and had no head of an answer after {waited}; {limit} ended the attempt.",
    "upstream_protocol_error": "the answer of {endpoint} broke the rules of HTTP{detail}.",
    "upstream_headers_too_large": "the head of the answer of {endpoint} was over the limits of the upstream{detail}.",
    "total_timeout": "{upstream} {asked}, and after {duration} {limit} ended the exchange{detail}.",
    "first_event_timeout": "{upstream} sent the head of a stream{pace}, and then no data event; {limit} ended it.",
    "stream_stalled": "{upstream} accepted the request and sent {received}{pace}, then nothing for {silence}; {limit} ended the answer{detail}.",
    "stream_truncated": "{upstream} accepted the request and sent {received}{pace}, then {cut}{detail}.",
    "stream_reset": "{upstream} accepted the request and sent {received}{pace}, then the connection was reset{detail}.",
    "stream_malformed": "{upstream} accepted the request and sent {received}{pace}, then bytes that make no sense{detail}.",
    "stream_error": "{upstream} accepted the request and sent {received}{pace}, an error of its own among them{detail}; not a byte was changed.",
    "stream_empty": "{upstream} accepted the request and ended its stream well{pace}, without one event in it{detail}.",
    "stream_max_duration": "{upstream} was still sending after {duration} ({received} so far); {limit} ended the answer.",
    "response_too_large": "the answer of {upstream} was over the {largest_answer} that {route} passes on{detail}; the client got {received} of it.",
    "drain_cut": "Sidelight was shutting down and did not wait any longer for this answer{detail}: {received} so far, after {duration}.",
    "client_closed_request": "the client left after {duration}, {phase}, before it had an answer.",
    "client_closed_stream": "the client left after {duration}, when it had been sent {received}{pace}.",
    "client_too_slow": "the client did not read; {limit} ended the answer ({received} so far, after {duration}).",
    "internal_error": "a bug of Sidelight's own ended the exchange {phase}{detail}; its stack trace is kept with the error group.",
}
"""What happened, for each outcome; names in braces are facts."""

NO_EVENT: Final = "{upstream} accepted the request and sent {received}{pace}, then bytes without an event in them; {limit} ended the answer{detail}."
"""What happened where `event_gap` ended a stream: it was not silent."""

NO_MARKER: Final = "{upstream} accepted the request, sent {received}{pace} and ended the stream in order, but without the end marker that {route} demands."
"""What happened where nothing but the end marker was missing."""

WHY_NOT: Final[dict[NotRetried, str]] = {
    "retry_after_too_long": "the upstream asked for a rest of {rest}, longer than the retry_after_cap{cap}",
    "not_retryable": "the retry rule does not ask for it",
    "not_idempotent": "the request may have arrived, and to repeat it is not safe",
    "body_not_replayable": "its body was too large to be kept for a repetition, or the rest of it did not come",
    "attempts_spent": "all attempts were spent",
    "budget_spent": "the retry budget was spent",
    "deadline_near": "there was no time left",
    "circuit_open": "the circuit had opened",
    "committed": "the answer was too large to be kept for a repetition",
    "draining": "Sidelight was shutting down",
    "client_gone": "the client had left",
}

_SPARED: Final = "what fails at one endpoint does not count while another works"

TOLD: Final[dict[Got, str]] = {
    "answer": "",
    "own_answer": "The client got {own}.",
    "in_band_error": "The client was told inside the stream.",
    "aborted": "The connection to the client was broken off, so that half an answer does not look like a whole one.",
    "nothing": "The client got nothing.",
    "client_left": "",
    "fallback": "",
}


def runbook_of(x: Exchange) -> str:
    """The runbook of the exchange: its code's, or one of its own for what is proven beyond it."""
    if own := own_runbook(x):
        return own
    over = ran_out(x)
    if over == "event_gap":
        return over
    if x.outcome is o.STREAM_STALLED and not x.streamed:
        return "body_stalled"
    if x.outcome is o.STREAM_TRUNCATED and x.end_marker is False:
        return NO_END_MARKER
    if x.outcome is o.CIRCUIT_OPEN and x.opening is not None and x.opening.rule == "manual":
        return "circuit_by_hand"
    return (x.outcome or o.INTERNAL_ERROR).code


def diagnose(x: Exchange, around: Mapping[str, object] | None = None) -> dict[str, str]:
    """Its three parts, and `diagnosis`: all of them, a line each; the last names the runbook.

    `around` is what happened around the exchange.
    """
    outcome, runbook, found = x.outcome or o.INTERNAL_ERROR, runbook_of(x), around or {}
    told = TOLD[client_got(x)].format(own=f"{x.status} {outcome.code}")
    sentences = (
        _happened(x, outcome.code), *(said for _, said in circumstances_of(x)), *_earlier(x),
        _not_retried(x), fallback_words(x), told, _circuit(x), unusual(found),
    )  # fmt: skip
    proven = " ".join(filter(None, sentences))
    likely, check = infer(runbook, found, own_inference(x))
    return {
        "diagnosis": f"Proven: {proven}\nLikely: {likely}\nNext check: {check} "
        f"See runbook: {runbook}.",
        "proven": proven,
        "likely": likely,
        "next_check": check,
    }


def _happened(x: Exchange, code: str) -> str:
    if code == "completed" and not x.attempts:
        return f"Sidelight answered {x.status} itself; no upstream was needed."
    template = NO_EVENT if ran_out(x) == "event_gap" else HAPPENED[code]
    if runbook_of(x) == NO_END_MARKER and code == o.STREAM_TRUNCATED.code:
        template = NO_MARKER
    said = template.format_map(Facts(x))
    return said[0].upper() + said[1:]


def _earlier(x: Exchange) -> list[str]:
    """The attempts before the last one."""
    return [_attempt(n, attempt) for n, attempt in enumerate(x.attempts[:-1], 1)]


def _attempt(number: int, attempt: Attempt) -> str:
    how = f"status {attempt.status}" if attempt.status else (attempt.result or "no result")
    unread = ", nothing of it read" if attempt.reused else ", nothing sent"
    sent = "" if attempt.sent or attempt.status else unread
    after = f" after {lasting(attempt.head)}" if attempt.head else ""
    where = f" at {attempt.endpoint}" if attempt.endpoint else ""
    later = f" {lasting(attempt.pause)} later" if attempt.pause else ""
    return f"Attempt {number}{where} ended as {how}{after}{sent} and was repeated{later}."


def _not_retried(x: Exchange) -> str:
    if x.retry_stopped is None or not x.attempts:
        return ""
    made = count(len(x.attempts), "attempt")
    return f"No further attempt was made after {made}: {WHY_NOT[x.retry_stopped].format_map(Facts(x))}."


def _circuit(x: Exchange) -> str:
    """Only where it had a part in it: it learnt of a failure, it refused, or it changed."""
    before, after = x.breaker_before, x.breaker_state
    has_part = x.breaker_counts is not None and (x.attempts or x.outcome is o.CIRCUIT_OPEN)
    if after is None or (before in (None, after) and not has_part) or x.outcome is COMPLETED:
        return ""
    if x.terms is not None and not x.terms.breaker.enabled:
        return ""
    changed = before is not None and before != after
    words = f"went from {before} to {after}" if changed else f"stayed {after}"
    return f"The circuit {words}{_counts(x)}.{_opened(x)}".replace("half_open", "half-open")


def _opened(x: Exchange) -> str:
    """What had opened it, where that was not the exchange itself."""
    opening = x.opening
    if opening is None or x.breaker_state == "closed":
        return ""
    failures = [
        f"{redact(each.request_id)} ({each.status or each.code} at {each.endpoint})"
        for each in opening.failures
    ]
    after = f", after {', '.join(failures)}" if failures else ""
    if opening.rule == "manual":
        return f" It had been opened by hand {lasting(x.ended - opening.at)} before."
    rule = opening.rule.replace("_", " ")
    since = lasting(x.ended - opening.at)
    return f" It had opened {since} before the end of this exchange, by the rule {rule}{after}."


def _counts(x: Exchange) -> str:
    if x.breaker_counts is None:
        return ""
    failed, made = x.breaker_counts
    window = f" in {limit(x.terms.breaker.window)}" if x.terms else ""
    spared = f"; {_SPARED}" if not failed and _is_spared(x) else ""
    return f" ({failed} of {count(made, 'attempt')} failed{window}{spared})"


def _is_spared(x: Exchange) -> bool:
    """Whether its failure was one at one endpoint of several that could be used."""
    chosen = x.attempts[-1].chosen if x.attempts else None
    failed = x.outcome is not None and x.outcome.signal in ("failure", "ratio")
    if x.outcome is o.UPSTREAM_ERROR and x.upstream_status is not None:
        failed = signal_of(x.upstream_status) in ("failure", "ratio")
    return failed and chosen is not None and chosen.usable > 1
