"""Writes the spans of an exchange that has ended: a SERVER span, and a CLIENT span per attempt.

Reads the record, which is redacted already, and invents nothing.
"""

from binascii import unhexlify
from collections.abc import Mapping
from struct import Struct
from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR
from proxy.tracing import conventions as c
from proxy.tracing.attempt_facts import end_of_attempt, url_of_attempt
from proxy.tracing.pair import pair
from proxy.tracing.record import SpanRecord
from proxy.tracing.recurring import Recurring
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import events_of, nanoseconds
from proxy.tracing.texts import Texts
from proxy.tracing.usual import UsualKinds
from proxy.tracing.wire import SPAN_HEADS, SpanAttribute, below_ours, below_theirs, utf8

_pack_times: Final = Struct("<QsQ").pack


class SpanWriter:
    """`routes` by name; `methods` are those that spans name."""

    def __init__(
        self, routes: Mapping[str, RouteWords], methods: frozenset[str] = c.METHODS
    ) -> None:
        self._routes = dict(routes)
        self._texts, self._recurring = Texts(), Recurring(methods)
        self._usual = UsualKinds(self._recurring, self._texts)
        self._events = SpanAttribute(c.EVENTS)
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
        words = self._routes.get(x.route) if x.route else None
        usual = self._usual.of(x, span.protocol, words)
        if usual is not None:
            lines.append(pair(x, span, x.attempts[0], usual, self._texts))
            return
        outcome, parts = x.outcome or INTERNAL_ERROR, self._recurring
        told = parts.asked(x, span.protocol, words) + parts.ended(x, outcome)
        events = events_of(x, outcome) if x.attempts or x.streamed else b""
        target = self._texts.target(x.target)
        self._put_server(lines, x, span, told + target, self._seldom(x) + events)
        for n, tried in enumerate(x.attempts):
            told = parts.tried(x, tried, x.upstream) + self._url_of(x, tried, words)
            self._put_client(lines, x, span, tried, n, told)
        spare = x.fallback
        if spare is not None and spare.attempt is not None:
            tried = spare.attempt
            told = parts.tried(x, tried, spare.upstream) + self._url_of(x, tried, words)
            self._put_client(lines, x, span, tried, len(x.attempts), told)

    def _put_server(
        self, lines: list[bytes], x: Exchange, span: SpanRecord, told: bytes, rest: bytes
    ) -> None:
        parent, flags = b"", below_ours(span.flags)
        if span.parent_id:
            parent = b"\x22\x08" + unhexlify(span.parent_id)
            flags = below_theirs(span.flags)
        texts = self._texts
        request_id = utf8(x.request_id)
        written = b"\x0a\x10%b\x12\x08%b%b%b%b%b%b%b%b%b%b" % (
            span.ids[:16],
            span.ids[24:],
            parent,
            flags,
            _times(x, x.started, x.ended),
            texts.request_id.of(len(request_id)),
            request_id,
            texts.client.of(x.client_ip),
            texts.agent.of(x.user_agent) if x.user_agent else b"",
            told,
            rest,
        )
        lines.append(SPAN_HEADS.of(len(written)))
        lines.append(written)

    def _put_client(
        self, lines: list[bytes], x: Exchange, span: SpanRecord, tried: Attempt, n: int, told: bytes
    ) -> None:
        """Of the `n`-th attempt, a fallback's behind all others."""
        written = b"\x0a\x10%b\x12\x08%b\x22\x08%b%b%b%b%b" % (
            span.ids[:16],
            unhexlify(tried.span_id),
            span.ids[24:],
            below_ours(span.flags),
            _times(x, tried.started, end_of_attempt(x, tried, n)),
            told,
            self._repeated(x.attempts[n - 1], n) if 0 < n < len(x.attempts) else b"",
        )
        lines.append(SPAN_HEADS.of(len(written)))
        lines.append(written)

    def _url_of(self, x: Exchange, tried: Attempt, words: RouteWords | None) -> bytes:
        return self._texts.url(url_of_attempt(x, tried, words))

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

    def _repeated(self, earlier: Attempt, n: int) -> bytes:
        """Which repeat it is, and why it was made."""
        cause = (earlier.outcome.cause if earlier.outcome else None) or "status"
        pause = int(earlier.pause * 1000)
        return self._resend.of_number(n) + self._cause.of(cause) + self._pause.of_number(pause)


def _times(x: Exchange, began: float, ended: float) -> bytes:
    """When a span begins and ends."""
    return _pack_times(nanoseconds(x, began), b"\x41", nanoseconds(x, ended))
