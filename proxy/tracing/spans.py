"""Writes the spans of an exchange that has ended: a SERVER span, and a CLIENT span per attempt.

Reads the record, which is redacted already, and invents nothing.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED, INTERNAL_ERROR, UPSTREAM_ERROR, Outcome, is_error
from proxy.tracing import conventions as c
from proxy.tracing.attempt_facts import code_of_attempt, end_of_attempt, url_of_attempt
from proxy.tracing.record import SpanRecord
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import put_events, times_of
from proxy.tracing.wire import MOST, SizedHeads, SpanAttribute, sized, utf8

_SPAN: Final = b"\x12"
"""`ScopeSpans.spans`; the tags below are those of `Span`."""
_TRACE_ID: Final = b"\x0a\x10"
_NAME: Final = b"\x2a"
_SERVER: Final = b"\x30\x02"
_CLIENT: Final = b"\x30\x03"
_IS_ERROR: Final = b"\x7a\x02\x18\x02"
_from_hex: Final = bytes.fromhex
_PORTS: Final = {"http": 80, "https": 443}

_Asked = tuple[RouteWords | None, str, str, str, str, str]
_Ended = tuple[str, str, int | None, int | None]
_Tried = tuple[str, str, str, bool, int | None, str | None, str]
"""What recurs together: what was asked, how it ended, how an attempt went."""


class SpanWriter:
    """`routes` by name."""

    def __init__(self, routes: Mapping[str, RouteWords]) -> None:
        self._routes = dict(routes)
        self._method, self._original = SpanAttribute(c.METHOD), SpanAttribute(c.METHOD_ORIGINAL)
        self._status, self._error = SpanAttribute(c.STATUS_CODE), SpanAttribute(c.ERROR_TYPE)
        self._address, self._port = SpanAttribute(c.SERVER_ADDRESS), SpanAttribute(c.SERVER_PORT)
        self._route, self._route_name = SpanAttribute(c.ROUTE), SpanAttribute(c.ROUTE_NAME)
        self._path, self._query = SpanAttribute(c.URL_PATH), SpanAttribute(c.URL_QUERY)
        self._scheme, self._full = SpanAttribute(c.URL_SCHEME), SpanAttribute(c.URL_FULL)
        self._client, self._agent = SpanAttribute(c.CLIENT_ADDRESS), SpanAttribute(c.USER_AGENT)
        self._request_id, self._upstream = SpanAttribute(c.REQUEST_ID), SpanAttribute(c.UPSTREAM)
        self._code, self._term = SpanAttribute(c.CODE), SpanAttribute(c.TERM)
        self._stopped, self._fallback = SpanAttribute(c.RETRY_STOPPED), SpanAttribute(c.FALLBACK)
        self._result, self._resend = SpanAttribute(c.RESULT), SpanAttribute(c.RESEND_COUNT)
        self._reused, self._cause = SpanAttribute(c.REUSED), SpanAttribute(c.RETRY_CAUSE)
        self._pause, self._events = SpanAttribute(c.RETRY_PAUSE), SpanAttribute(c.EVENTS)
        self._heads = SizedHeads(_SPAN)
        self._asked: dict[_Asked, bytes] = {}
        self._ended: dict[_Ended, bytes] = {}
        self._tried: dict[_Tried, bytes] = {}

    def take(self, routes: Mapping[str, RouteWords]) -> None:
        """Other routes are in force."""
        self._routes = dict(routes)

    def put(self, lines: list[bytes], x: Exchange) -> None:
        """All spans of an exchange that has one, as fields of `ScopeSpans`, behind what is written.

        In pieces, to be joined once. What cannot be written leaves nothing but whole spans.
        """
        span = x.span
        if span is None:
            return
        self._put_span(lines, self._server(x, span))
        for n, tried in enumerate(x.attempts):
            self._put_span(lines, self._attempt(x, tried, n, x.upstream, span))
        spare = x.fallback
        if spare is not None and spare.attempt is not None:
            n = len(x.attempts)
            self._put_span(lines, self._attempt(x, spare.attempt, n, spare.upstream, span))

    def _put_span(self, lines: list[bytes], parts: list[bytes]) -> None:
        size = 0
        for part in parts:
            size += len(part)
        lines.append(self._heads.of(size))
        lines += parts

    def _server(self, x: Exchange, span: SpanRecord) -> list[bytes]:
        outcome, parent = x.outcome or INTERNAL_ERROR, span.parent_id
        lines = [
            _TRACE_ID,
            _ids(span.trace_id, span.span_id, parent),
            _flags_of(span.flags, is_remote=parent != ""),
            times_of(x, x.started, x.ended),
            self._what_was_asked(x, span.scheme),
            self._client.of(x.client_ip),
        ]
        self._request_id.put(lines, x.request_id)
        cut = x.target.find("?")
        if cut < 0:
            self._path.put(lines, x.target)
        else:
            self._path.put(lines, x.target[:cut])
            if query := x.target[cut + 1 :]:
                self._query.put(lines, query)
        lines.append(self._how_it_ended(x, outcome))
        if x.retry_stopped is not None:
            lines.append(self._stopped.of(x.retry_stopped))
        if x.fallback is not None and x.fallback.given:
            lines.append(self._fallback.of(x.fallback.given))
        if x.streamed and x.events:
            lines.append(self._events.of_number(x.events))
        if x.attempts or x.streamed:
            put_events(lines, x, outcome)
        return lines

    def _what_was_asked(self, x: Exchange, scheme: str) -> bytes:
        """Name, kind, and the attributes that many requests have in common."""
        words = self._routes.get(x.route) if x.route else None
        key = (words, x.method, scheme, x.host, x.user_agent, x.upstream)
        known = self._asked.get(key)
        if known is not None:
            return known
        method = x.method if x.method in c.METHODS else "HTTP"
        name = method if words is None else f"{method} {words.path}"
        lines = [sized(_NAME, utf8(name)), _SERVER, *self._method_of(x), self._scheme.of(scheme)]
        if x.host:
            lines.append(self._place_of(f"{scheme}://{x.host}"))
        if x.user_agent:
            lines.append(self._agent.of(x.user_agent))
        if words is not None:
            lines += self._route.of(words.path), self._route_name.of(x.route)
            lines.append(self._upstream.of(x.upstream))
        if len(self._asked) >= MOST:
            self._asked.clear()
        known = self._asked[key] = b"".join(lines)
        return known

    def _how_it_ended(self, x: Exchange, outcome: Outcome) -> bytes:
        code = outcome.code if x.outcome is not None else ""
        key = (code, x.phase, x.status, x.upstream_status)
        known = self._ended.get(key)
        if known is not None:
            return known
        lines = [self._code.of(outcome.code), self._term.of(x.term)]
        if x.status is not None:
            lines.append(self._status.of_number(x.status))
        if outcome is not COMPLETED:
            if outcome is not UPSTREAM_ERROR or is_error(outcome, x.upstream_status):
                lines.append(self._error.of(outcome.code))
            if is_error(outcome, x.upstream_status) or (x.status or 0) >= 500:
                lines.append(_IS_ERROR)
        if len(self._ended) >= MOST:
            self._ended.clear()
        known = self._ended[key] = b"".join(lines)
        return known

    def _attempt(
        self, x: Exchange, tried: Attempt, n: int, upstream: str, span: SpanRecord
    ) -> list[bytes]:
        lines = [
            _TRACE_ID,
            _ids(span.trace_id, tried.span_id, span.span_id),
            _flags_of(span.flags, is_remote=False),
            times_of(x, tried.started, end_of_attempt(x, tried, n)),
            self._how_it_went(x, tried, upstream),
        ]
        self._full.put(lines, url_of_attempt(x, tried, self._routes.get(x.route)))
        if 0 < n < len(x.attempts):
            lines += self._repeated(x.attempts[n - 1], n)
        return lines

    def _how_it_went(self, x: Exchange, tried: Attempt, upstream: str) -> bytes:
        """Name, kind, and the attributes that many attempts have in common."""
        code, result = code_of_attempt(x, tried), tried.result
        key = (x.method, tried.endpoint, upstream, tried.reused, tried.status, result, code)
        known = self._tried.get(key)
        if known is not None:
            return known
        lines = [
            sized(_NAME, (x.method if x.method in c.METHODS else "HTTP").encode()),
            _CLIENT,
            *self._method_of(x),
            self._place_of(tried.endpoint),
            self._upstream.of(upstream),
            self._reused.of_number(tried.reused),
        ]
        if tried.status is not None:
            lines.append(self._status.of_number(tried.status))
        if result is not None:
            lines.append(self._result.of(result))
        if code:
            lines += (self._error.of(code), _IS_ERROR)
        if len(self._tried) >= MOST:
            self._tried.clear()
        known = self._tried[key] = b"".join(lines)
        return known

    def _repeated(self, earlier: Attempt, n: int) -> list[bytes]:
        """Which repeat it is, and why it was made."""
        return [
            self._resend.of_number(n),
            self._cause.of((earlier.outcome.cause if earlier.outcome else None) or "status"),
            self._pause.of_number(int(earlier.pause * 1000)),
        ]

    def _method_of(self, x: Exchange) -> list[bytes]:
        if x.method in c.METHODS:
            return [self._method.of(x.method)]
        return [self._method.of("_OTHER"), self._original.of(x.method)]

    def _place_of(self, url: str) -> bytes:
        """`server.address` and `server.port` of an endpoint, or of what a client asked for."""
        try:
            parts = urlsplit(url)
            address = parts.hostname or parts.path
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return b""  # a client may send any Host
        return self._address.of(address) + (self._port.of_number(port) if port else b"")


def _ids(trace_id: str, span_id: str, parent_id: str) -> bytes:
    """Trace, span and parent, but for the tag of the first: by one conversion."""
    if parent_id:
        return _from_hex(f"{trace_id}1208{span_id}2208{parent_id}")
    return _from_hex(f"{trace_id}1208{span_id}")


_LOCAL: Final[dict[str, bytes]] = {}
_REMOTE: Final[dict[str, bytes]] = {}


def _flags_of(flags: str, *, is_remote: bool) -> bytes:
    """The flags byte, and above it whether the parent is another process."""
    kept = _REMOTE if is_remote else _LOCAL
    known = kept.get(flags)
    if known is None:
        known = kept[flags] = _from_hex(f"8501{flags}{'03' if is_remote else '01'}0000")
    return known
