"""Writes the spans of an exchange that has ended: a SERVER span, and a CLIENT span per attempt.

Reads the record, which is redacted already, and invents nothing.
"""

from collections.abc import Mapping
from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR
from proxy.tracing import conventions as c
from proxy.tracing.attempt_facts import end_of_attempt, url_of_attempt
from proxy.tracing.record import SpanRecord
from proxy.tracing.recurring import Recurring
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import events_of, time_of
from proxy.tracing.wire import SizedHeads, SpanAttribute, text_heads, utf8, varint

_LONGEST: Final = 2048
"""Bytes of a span of the usual kind; one with a long path or user agent is longer."""
_from_hex: Final = bytes.fromhex


class SpanWriter:
    """`routes` by name."""

    def __init__(self, routes: Mapping[str, RouteWords]) -> None:
        self._routes = dict(routes)
        self._recurring = Recurring()
        self._heads = SizedHeads(_span_head, _LONGEST)
        self._request_id, self._full = text_heads(c.REQUEST_ID), text_heads(c.URL_FULL)
        self._path, self._query = text_heads(c.URL_PATH), text_heads(c.URL_QUERY)
        self._client, self._events = SpanAttribute(c.CLIENT_ADDRESS), SpanAttribute(c.EVENTS)
        self._stopped, self._fallback = SpanAttribute(c.RETRY_STOPPED), SpanAttribute(c.FALLBACK)
        self._resend, self._cause = SpanAttribute(c.RESEND_COUNT), SpanAttribute(c.RETRY_CAUSE)
        self._pause = SpanAttribute(c.RETRY_PAUSE)

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
        ids, flags = _from_hex(span.trace_id + span.span_id), _flags_of(span.flags)
        trace, ours = ids[:16], ids[16:]
        words = self._routes.get(x.route) if x.route else None
        self._put_span(lines, self._server(x, span, trace, ours, flags, words))
        below = b"\x22\x08%b%b" % (ours, flags)
        for n, tried in enumerate(x.attempts):
            told = self._attempt(x, tried, n, x.upstream, trace, below, words)
            self._put_span(lines, told)
        spare = x.fallback
        if spare is not None and spare.attempt is not None:
            n = len(x.attempts)
            told = self._attempt(x, spare.attempt, n, spare.upstream, trace, below, words)
            self._put_span(lines, told)

    def _put_span(self, lines: list[bytes], span: bytes) -> None:
        lines.append(self._heads.of(len(span)))
        lines.append(span)

    def _server(
        self,
        x: Exchange,
        span: SpanRecord,
        trace: bytes,
        ours: bytes,
        flags: bytes,
        words: RouteWords | None,
    ) -> bytes:
        parent = b""
        if span.parent_id:
            parent = b"\x22\x08" + _from_hex(span.parent_id)
            flags = _remote_flags_of(span.flags)
        request_id = utf8(x.request_id)
        path, query, query_head = x.target, b"", b""
        if (cut := path.find("?")) >= 0:
            path, query = path[:cut], utf8(path[cut + 1 :])
            query_head = self._query.of(len(query)) if query else b""
        path_data, outcome = utf8(path), x.outcome or INTERNAL_ERROR
        return b"\x0a\x10%b\x12\x08%b%b%b\x39%b\x41%b%b%b%b%b%b%b%b%b%b%b%b" % (
            trace,
            ours,
            parent,
            flags,
            time_of(x, x.started),
            time_of(x, x.ended),
            self._recurring.asked(x, span.scheme, words),
            self._client.of(x.client_ip),
            self._request_id.of(len(request_id)),
            request_id,
            self._path.of(len(path_data)),
            path_data,
            query_head,
            query,
            self._recurring.ended(x, outcome),
            self._seldom(x),
            events_of(x, outcome) if x.attempts or x.streamed else b"",
        )

    def _seldom(self, x: Exchange) -> bytes:
        """Attributes of the SERVER span that few exchanges have."""
        told = b""
        if x.retry_stopped is not None:
            told = self._stopped.of(x.retry_stopped)
        if x.fallback is not None and x.fallback.given:
            told += self._fallback.of(x.fallback.given)
        if x.streamed and x.events:
            told += self._events.of_number(x.events)
        return told

    def _attempt(
        self,
        x: Exchange,
        tried: Attempt,
        n: int,
        upstream: str,
        trace: bytes,
        below: bytes,
        words: RouteWords | None,
    ) -> bytes:
        """`below` are the fields that say below which span it is, the same for all attempts."""
        url = utf8(url_of_attempt(x, tried, words))
        return b"\x0a\x10%b\x12\x08%b%b\x39%b\x41%b%b%b%b%b" % (
            trace,
            _from_hex(tried.span_id),
            below,
            time_of(x, tried.started),
            time_of(x, end_of_attempt(x, tried, n)),
            self._recurring.tried(x, tried, upstream),
            self._full.of(len(url)),
            url,
            self._repeated(x.attempts[n - 1], n) if 0 < n < len(x.attempts) else b"",
        )

    def _repeated(self, earlier: Attempt, n: int) -> bytes:
        """Which repeat it is, and why it was made."""
        cause = (earlier.outcome.cause if earlier.outcome else None) or "status"
        pause = int(earlier.pause * 1000)
        return self._resend.of_number(n) + self._cause.of(cause) + self._pause.of_number(pause)


def _span_head(length: int) -> bytes:
    """`ScopeSpans.spans`"""
    return b"\x12" + varint(length)


_local: Final[dict[str, bytes]] = {}
_remote: Final[dict[str, bytes]] = {}


def _flags_of(flags: str) -> bytes:
    """The flags byte, and above it that the parent is no other process."""
    known = _local.get(flags)
    if known is None:
        known = _local[flags] = _from_hex(f"8501{flags}010000")
    return known


def _remote_flags_of(flags: str) -> bytes:
    """The same, of a span whose parent is another process."""
    known = _remote.get(flags)
    if known is None:
        known = _remote[flags] = _from_hex(f"8501{flags}030000")
    return known
