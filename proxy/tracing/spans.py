"""Writes the spans of an exchange that has ended: a SERVER span, and a CLIENT span per attempt.

Reads the record, which is redacted already, and invents nothing.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.http.head_writer import without_prefix
from proxy.outcome import COMPLETED, INTERNAL_ERROR, UPSTREAM_ERROR, Outcome, is_error
from proxy.tracing import conventions as c
from proxy.tracing.record import SpanRecord
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import events_of, times_of
from proxy.tracing.wire import SpanAttribute, sized

_SPAN = b"\x12"
"""`ScopeSpans.spans`; the tags below are those of `Span`."""
_NAME = b"\x2a"
_SERVER, _CLIENT = b"\x30\x02", b"\x30\x03"
_IS_ERROR = b"\x7a\x02\x18\x02"
_PORTS = {"http": 80, "https": 443}


class SpanWriter:
    """`routes` by name."""

    def __init__(self, routes: Mapping[str, RouteWords]) -> None:
        self._routes = routes
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
        self._endpoints: dict[str, bytes] = {}

    def take(self, routes: Mapping[str, RouteWords]) -> None:
        """Other routes are in force."""
        self._routes = routes

    def spans_of(self, x: Exchange) -> bytes:
        """All of an exchange that has a span, as fields of `ScopeSpans`."""
        span = x.span
        if span is None:
            return b""
        written = [self._server(x, span)]
        for n, tried in enumerate(x.attempts):
            written.append(self._attempt(x, tried, n, x.upstream, span))
        spare = x.fallback
        if spare is not None and spare.attempt is not None:
            n = len(x.attempts)
            written.append(self._attempt(x, spare.attempt, n, spare.upstream, span))
        return b"".join(written)

    def _server(self, x: Exchange, span: SpanRecord) -> bytes:
        outcome = x.outcome or INTERNAL_ERROR
        method = x.method if x.method in c.METHODS else "HTTP"
        words = self._routes.get(x.route) if x.route else None
        lines = [_ids_of(span)]
        lines += (
            sized(_NAME, method.encode()) if words is None else words.name_of(method),
            _SERVER,
            times_of(x, x.started, x.ended),
            *self._asked(x, span, words),
            *self._ended(x, outcome),
        )
        if x.attempts or x.streamed:
            lines += events_of(x, outcome)
        return sized(_SPAN, b"".join(lines))

    def _asked(self, x: Exchange, span: SpanRecord, words: RouteWords | None) -> list[bytes]:
        path, _, query = x.target.partition("?")
        lines = [
            *self._method_of(x),
            self._path.alone(path),
            self._scheme.of(span.scheme),
            self._client.of(x.client_ip),
            self._request_id.alone(x.request_id),
        ]
        if query:
            lines.append(self._query.alone(query))
        if x.host:
            lines.append(self._place_of(f"{span.scheme}://{x.host}"))
        if x.user_agent:
            lines.append(self._agent.of(x.user_agent))
        if words is not None:
            lines += (
                self._route.of(words.path),
                self._route_name.of(x.route),
                self._upstream.of(x.upstream),
            )
        return lines

    def _ended(self, x: Exchange, outcome: Outcome) -> list[bytes]:
        lines = [self._code.of(outcome.code), self._term.of(x.term)]
        if x.status is not None:
            lines.append(self._status.of_number(x.status))
        if outcome is not COMPLETED:
            if outcome is not UPSTREAM_ERROR or is_error(outcome, x.upstream_status):
                lines.append(self._error.of(outcome.code))
            if is_error(outcome, x.upstream_status) or (x.status or 0) >= 500:
                lines.append(_IS_ERROR)
        if x.retry_stopped is not None:
            lines.append(self._stopped.of(x.retry_stopped))
        if x.fallback is not None and x.fallback.given:
            lines.append(self._fallback.of(x.fallback.given))
        if x.streamed and x.events:
            lines.append(self._events.of_number(x.events))
        return lines

    def _attempt(
        self,
        x: Exchange,
        tried: Attempt,
        n: int,
        upstream: str,
        span: SpanRecord,
    ) -> bytes:
        words = self._routes.get(x.route)
        code = _code_of(x, tried)
        lines = [
            _ids_of_attempt(span, tried),
            sized(_NAME, (x.method if x.method in c.METHODS else "HTTP").encode()),
            _CLIENT,
            times_of(x, tried.started, _end_of(x, tried, n)),
            *self._method_of(x),
            self._full.alone(_url_of(x, tried, words)),
            self._place_of(tried.endpoint),
            self._upstream.of(upstream),
            self._reused.of_number(tried.reused),
            *self._repeated(x, n),
        ]
        if tried.status is not None:
            lines.append(self._status.of_number(tried.status))
        if tried.result is not None:
            lines.append(self._result.of(tried.result))
        if code:
            lines += (self._error.of(code), _IS_ERROR)
        return sized(_SPAN, b"".join(lines))

    def _repeated(self, x: Exchange, n: int) -> list[bytes]:
        """Which repeat it is, and why it was made; a spare upstream is asked for the first time."""
        if not 0 < n < len(x.attempts):
            return []
        earlier = x.attempts[n - 1]
        return [
            self._resend.of_number(n),
            self._cause.of((earlier.outcome.cause if earlier.outcome else None) or "status"),
            self._pause.of_number(int(earlier.pause * 1000)),
        ]

    def _method_of(self, x: Exchange) -> list[bytes]:
        if x.method in c.METHODS:
            return [self._method.of(x.method)]
        return [self._method.of("_OTHER"), self._original.alone(x.method)]

    def _place_of(self, url: str) -> bytes:
        """`server.address` and `server.port` of an endpoint, or of what a client asked for."""
        known = self._endpoints.get(url)
        if known is None:
            if len(self._endpoints) >= 512:
                self._endpoints.clear()
            known = self._endpoints[url] = self._place(url)
        return known

    def _place(self, url: str) -> bytes:
        try:
            parts = urlsplit(url)
            address = parts.hostname or parts.path
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return b""  # a client may send any Host
        return self._address.of(address) + (self._port.of_number(port) if port else b"")


def _ids_of(span: SpanRecord) -> bytes:
    """Trace, span, parent, flags, and above the flags byte whether the parent is another process:
    written in hex digits, for one conversion of all."""
    if span.parent_id:
        parent, remote = f"2208{span.parent_id}", "03"
    else:
        parent, remote = "", "01"
    ids = f"0a10{span.trace_id}1208{span.span_id}{parent}8501{span.flags}{remote}0000"
    return bytes.fromhex(ids)


def _ids_of_attempt(span: SpanRecord, tried: Attempt) -> bytes:
    ids = f"0a10{span.trace_id}1208{tried.span_id}2208{span.span_id}8501{span.flags}010000"
    return bytes.fromhex(ids)


def _code_of(x: Exchange, tried: Attempt) -> str:
    """The code of an attempt that failed; also of one whose answer broke after its head."""
    if tried.outcome is not None:
        return tried.outcome.code
    if tried.status is None:
        return tried.result or ""
    if tried.status >= 400:
        return UPSTREAM_ERROR.code
    spare = x.fallback
    if spare is not None and spare.given:
        is_last, outcome = tried is spare.attempt, spare.outcome
    else:
        is_last, outcome = bool(x.attempts) and tried is x.attempts[-1], x.outcome
    is_theirs = outcome is not None and outcome.category == "upstream"
    return outcome.code if is_last and is_theirs and outcome is not None else ""


def _end_of(x: Exchange, tried: Attempt, n: int) -> float:
    """When the attempt was over: at the next one, at an answer of ours, or with the exchange."""
    ended, spare = x.ended, x.fallback
    if n + 1 < len(x.attempts):
        ended = x.attempts[n + 1].started - tried.pause
    elif spare is not None and n < len(x.attempts):
        ended = spare.attempt.started if spare.attempt is not None else x.committed or x.ended
    elif tried.status is None:
        ended = x.committed or x.ended
    elif x.last_byte is not None and x.outcome is COMPLETED:
        ended = x.started + x.last_byte
    return max(ended, tried.started)


def _url_of(x: Exchange, tried: Attempt, words: RouteWords | None) -> str:
    target = x.target
    if words is not None and words.prefix:
        target = without_prefix(target, words.prefix)
    return tried.endpoint + target
