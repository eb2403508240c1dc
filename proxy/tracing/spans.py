"""Writes the spans of an exchange that has ended: a SERVER span, and a CLIENT span per attempt.

Reads the record, which is redacted already, and invents nothing.
"""

from collections.abc import Mapping
from struct import Struct
from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR
from proxy.tracing import conventions as c
from proxy.tracing.attempt_facts import end_of_attempt, url_of_attempt
from proxy.tracing.record import SpanRecord
from proxy.tracing.recurring import Recurring
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import answered_at, events_of, nanoseconds
from proxy.tracing.texts import Texts
from proxy.tracing.usual import UsualKinds
from proxy.tracing.wire import SizedHeads, SpanAttribute, utf8, varint

_LONGEST: Final = 2048
"""Bytes of a span of the usual kind; one with a long path or user agent is longer."""
_pack_server: Final = Struct("<16s 2s8s 7sQ sQ").pack
_pack_usual: Final = Struct("<16s 2s8s 7sQ sQ 3sQ").pack
_pack_client: Final = Struct("<16s 2s8s 2s8s 7sQ sQ").pack
"""IDs, flags and times; of `SpanRecord.ids` the trace is what fits. Behind those of the usual one
its only event begins."""
_SPAN: Final = b"\x12\x08"
_PARENT: Final = b"\x22\x08"
_ENDED: Final = b"\x41"


class SpanWriter:
    """`routes` by name; `methods` are those that spans name."""

    def __init__(
        self, routes: Mapping[str, RouteWords], methods: frozenset[str] = c.METHODS
    ) -> None:
        self._routes = dict(routes)
        self._texts, self._recurring = Texts(), Recurring(methods)
        self._usual = UsualKinds(self._recurring, self._texts)
        self._heads = SizedHeads(_span_head, _LONGEST)
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
            tried = x.attempts[0]
            packed = _pack_usual(
                span.ids, _SPAN, span.ids[16:24], _flags(span), nanoseconds(x, x.started),
                _ENDED, nanoseconds(x, x.ended),
                usual.head, nanoseconds(x, answered_at(tried)),
            )  # fmt: skip
            self._put_server(lines, x, span, packed, usual.server)
            self._put_client(lines, x, span, tried, 0, usual.client)
            return
        outcome, parts = x.outcome or INTERNAL_ERROR, self._recurring
        packed = _pack_server(
            span.ids, _SPAN, span.ids[16:24], _flags(span), nanoseconds(x, x.started),
            _ENDED, nanoseconds(x, x.ended),
        )  # fmt: skip
        told = parts.asked(x, span.protocol, words) + parts.ended(x, outcome)
        events = events_of(x, outcome) if x.attempts or x.streamed else b""
        told += self._texts.target(x.target) + self._seldom(x) + events
        self._put_server(lines, x, span, packed, told)
        for n, tried in enumerate(x.attempts):
            told = parts.tried(x, tried, x.upstream) + self._url_of(x, tried, words)
            self._put_client(lines, x, span, tried, n, told)
        spare = x.fallback
        if spare is not None and spare.attempt is not None:
            tried = spare.attempt
            told = parts.tried(x, tried, spare.upstream) + self._url_of(x, tried, words)
            self._put_client(lines, x, span, tried, len(x.attempts), told)

    def _put_server(
        self, lines: list[bytes], x: Exchange, span: SpanRecord, packed: bytes, told: bytes
    ) -> None:
        """`told` goes on where `packed` ends."""
        parent = _PARENT + span.parent_id if span.parent_id else b""
        texts, request_id = self._texts, utf8(x.request_id)
        head, client = texts.request_id.of(len(request_id)), texts.client.of(x.client_ip)
        agent = texts.agent.of(x.user_agent) if x.user_agent else b""
        size = len(parent) + len(head) + len(request_id) + len(client) + len(agent)
        size += len(packed) + len(told)
        lines.append(self._heads.of(size))
        lines.append(packed)
        lines.append(told)
        lines.append(parent)
        lines.append(head)
        lines.append(request_id)
        lines.append(client)
        lines.append(agent)

    def _put_client(
        self, lines: list[bytes], x: Exchange, span: SpanRecord, tried: Attempt, n: int, told: bytes
    ) -> None:
        """Of the `n`-th attempt, a fallback's behind all others."""
        if 0 < n < len(x.attempts):
            told += self._repeated(x.attempts[n - 1], n)
        packed = _pack_client(
            span.ids, _SPAN, tried.span_id, _PARENT, span.ids[16:24],
            span.flags.below_ours, nanoseconds(x, tried.started),
            _ENDED, nanoseconds(x, end_of_attempt(x, tried, n)),
        )  # fmt: skip
        lines.append(self._heads.of(len(packed) + len(told)))
        lines.append(packed)
        lines.append(told)

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


def _span_head(length: int) -> bytes:
    """`ScopeSpans.spans`, and in it `Span.trace_id` up to the ID."""
    return b"\x12" + varint(2 + length) + b"\x0a\x10"


def _flags(span: SpanRecord) -> bytes:
    return span.flags.below_theirs if span.parent_id else span.flags.below_ours
