"""A story from the `exchange` event of a log, for when no process remembers the exchange.

It is the same story with less in it: what the event does not say is left out, not guessed.
"""

from datetime import datetime
from typing import Final, get_args

from proxy.attempt_record import Attempt
from proxy.diagnostics.stories.log_facts import LogEvent, add_end_facts
from proxy.diagnostics.stories.log_facts import logged_number as _number
from proxy.diagnostics.stories.log_facts import logged_seconds as _seconds
from proxy.diagnostics.stories.log_facts import logged_text as _text
from proxy.diagnostics.stories.story import Story, story_of
from proxy.exchange import Exchange
from proxy.fallback.record import FallbackRecord
from proxy.observation.record import RESERVED
from proxy.outcome import OUTCOMES, NotRetried, Result

_UNSENT: Final = ("dns_failure", "connect_refused", "connect_timeout", "tls_failure")
_UNKNOWN: Final = ("at_ms", "sent", "reused", "connection")
"""What the event says of the last attempt at most."""
_OF_LINKS: Final = ("number", "local", "peer")
"""What it does not say of a connection."""
_MOST_ATTEMPTS: Final = 100
_RESULTS: Final[dict[str, Result]] = {result: result for result in get_args(Result)}
_WHY_NOT: Final[dict[str, NotRetried]] = {why: why for why in get_args(NotRetried)}


def story_from_log(event: LogEvent) -> Story:
    """The story of an `exchange` event, `source` of it `log`. Odd values count as missing."""
    x = _exchange(event)
    story = story_of(x, worker=int(_number(event, "worker")))
    story["source"] = "log"
    story.pop("parts", None)  # an event tells the waits, not what we did meanwhile
    if "breaker" in story:
        opened = {"opened": {"rule": x.opening.rule}} if x.opening is not None else {}
        story["breaker"] = {"after": x.breaker_state, **opened}
    if fault := _text(event, "fault"):
        story["fault"] = fault
    story["overhead_ms"] = _number(event, "overhead_ms")
    attempts = story["attempts"]
    if isinstance(attempts, list) and attempts:
        for told in attempts[:-1]:
            _forget(told, _UNKNOWN)
        if "since_sent_ms" not in event:
            _forget(attempts[-1], _UNKNOWN[:1])
        _forget(attempts[-1].get("connection"), _OF_LINKS)
    return story


def _forget(told: object, unknown: tuple[str, ...]) -> None:
    for key in unknown if isinstance(told, dict) else ():
        told.pop(key, None)  # type: ignore[attr-defined]  # a dict


def _exchange(event: LogEvent) -> Exchange:
    duration = _seconds(event, "duration_ms") or 0.0
    x = Exchange(
        0.0,
        max(0.0, _wall(_text(event, "timestamp")) - duration),
        _text(event, "method"),
        _text(event, "path"),
        _text(event, "client_ip"),
    )
    x.request_id = _text(event, "request_id")
    x.client_request_id = _text(event, "client_request_id") or None
    x.upstream_request_id = _text(event, "upstream_request_id") or None
    ids = event.get("upstream_ids")
    x.upstream_ids = (
        {k: v for k, v in ids.items() if isinstance(v, str)} if isinstance(ids, dict) else None
    )
    x.config_hash = _text(event, "config_hash")
    x.trace(_span_context(event))
    x.fields = {k: v for k, v in event.items() if k not in RESERVED and isinstance(v, str)}
    x.client_cert, x.user_agent = _text(event, "client_cert"), _text(event, "user_agent")
    x.route = _text(event, "route")
    x.upstream = _text(event, "upstream")
    x.attempts = _attempts(event)
    x.retry_stopped = _WHY_NOT.get(_text(event, "retry_stopped"))
    x.breaker_state = _text(event, "breaker_state") or None
    x.ended = duration
    x.bytes_in = int(_number(event, "bytes_in"))
    x.bytes_out = int(_number(event, "bytes_out"))
    _add_end(x, event)
    add_end_facts(x, event)
    return x


def _add_end(x: Exchange, event: LogEvent) -> None:
    """How it ended."""
    duration = x.ended
    x.status = _whole(event, "status")
    x.upstream_status = _whole(event, "upstream_status")
    x.interim = _statuses(event.get("interim"))
    x.outcome = OUTCOMES.get(_text(event, "code"))
    x.phase = _text(event, "term")[1:] or "R"
    x.detail = _text(event, "detail") or None
    x.fallback = _fallback(event)
    x.committed = duration if _is_committed(event) else None
    x.spent.queue = _seconds(event, "queue_ms") or 0.0
    x.spent.upstream = _seconds(event, "upstream_ms") or 0.0
    x.streamed = event.get("streamed") is True
    x.events = int(_number(event, "events"))
    x.first_event = _seconds(event, "first_event_ms")
    x.end_marker = event.get("end_marker") is True if "end_marker" in event else None
    x.inband_error = event.get("inband_error") is True
    x.max_gap = _seconds(event, "max_gap_ms") or 0.0
    outcome = x.outcome
    if x.attempts and x.upstream_status is None and outcome is not None and outcome.result:
        x.attempts[-1].outcome, x.attempts[-1].detail = outcome, x.detail


def _span_context(event: LogEvent) -> bytes:
    try:
        found = bytes.fromhex(_text(event, "trace_id") + _text(event, "span_id"))
    except ValueError:
        return b""
    return found if len(found) in (16, 24) else b""


def _is_committed(event: LogEvent) -> bool:
    """Whether the client got a head: it is given a status also where it left before one."""
    return "status" in event and _text(event, "code") != "client_closed_request"


def _attempts(event: LogEvent) -> list[Attempt]:
    results = event.get("attempt_results")
    if not isinstance(results, list):
        return []
    attempts = [_attempt(result) for result in results[:_MOST_ATTEMPTS]]
    if attempts:
        last = attempts[-1]
        last.endpoint = _text(event, "endpoint")
        last.reused = event.get("connection_reused") is True
        last.connect, last.head = _seconds(event, "connect_ms"), _seconds(event, "head_ms")
        last.retry_after = _seconds(event, "retry_after_ms")
        last.status = _whole(event, "upstream_status")
    return attempts


def _attempt(result: object) -> Attempt:
    tried = Attempt("", 0.0)
    tried.sent, tried.result = result not in _UNSENT, _RESULTS.get(str(result))
    return tried


def _fallback(event: LogEvent) -> FallbackRecord | None:
    record = FallbackRecord()
    record.given = _text(event, "fallback")
    record.upstream = _text(event, "fallback_upstream")
    record.outcome = OUTCOMES.get(_text(event, "fallback_code"))
    result = _RESULTS.get(_text(event, "fallback_result"))
    if result is not None:
        record.attempt = Attempt("", 0.0)
        record.attempt.result = result
    return record if record.given or record.upstream else None


def _statuses(value: object) -> tuple[int, ...]:
    return tuple(n for n in value if isinstance(n, int)) if isinstance(value, list) else ()


def _whole(event: LogEvent, name: str) -> int | None:
    return int(_number(event, name)) or None


def _wall(timestamp: str) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except (ValueError, OverflowError):
        return 0.0
