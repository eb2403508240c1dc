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
from proxy.tracing.record import SpanRecord
from proxy.tracing.recurring import Recurring
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import answered_at, events_of, nanoseconds
from proxy.tracing.texts import Texts
from proxy.tracing.usual import UsualKinds
from proxy.tracing.wire import SizedHeads, SpanAttribute, utf8, varint

_LONGEST: Final = 2048
"""Bytes of a span of the usual kind; one with a long path or user agent is longer."""
_unhexlify: Final = unhexlify
_pack_server: Final = Struct("<2s16s 2s8s 6s sQ sQ").pack
_pack_client: Final = Struct("<2s16s 2s8s 2s8s 6s sQ sQ").pack
"""IDs, flags and times; of `SpanRecord.ids` the trace is what fits."""
_TRACE: Final = b"\x0a\x10"
_SPAN: Final = b"\x12\x08"
_PARENT: Final = b"\x22\x08"
_BEGAN: Final = b"\x39"
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
            answered = nanoseconds(x, answered_at(tried)).to_bytes(8, "little")
            self._put_server(lines, x, span, usual.server, answered)
            self._put_client(lines, x, span, tried, 0, usual.client)
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
        parent, flags = b"", _below_ours(span.flags)
        if span.parent_id:
            parent, flags = _PARENT + _unhexlify(span.parent_id), _below_theirs(span.flags)
        texts, request_id = self._texts, utf8(x.request_id)
        head, client = texts.request_id.of(len(request_id)), texts.client.of(x.client_ip)
        agent = texts.agent.of(x.user_agent) if x.user_agent else b""
        packed = _pack_server(
            _TRACE, span.ids, _SPAN, span.ids[24:], flags,
            _BEGAN, nanoseconds(x, x.started), _ENDED, nanoseconds(x, x.ended),
        )  # fmt: skip
        size = len(parent) + len(head) + len(request_id) + len(client) + len(agent)
        size += len(packed) + len(told) + len(rest)
        begun = b"%b%b%b%b%b%b" % (
            self._heads.of(size),
            parent,
            head,
            request_id,
            client,
            agent,
        )
        lines += [begun, packed, told, rest]

    def _put_client(
        self, lines: list[bytes], x: Exchange, span: SpanRecord, tried: Attempt, n: int, told: bytes
    ) -> None:
        """Of the `n`-th attempt, a fallback's behind all others."""
        if 0 < n < len(x.attempts):
            told += self._repeated(x.attempts[n - 1], n)
        packed = _pack_client(
            _TRACE, span.ids, _SPAN, _unhexlify(tried.span_id), _PARENT, span.ids[24:],
            _below_ours(span.flags), _BEGAN, nanoseconds(x, tried.started),
            _ENDED, nanoseconds(x, end_of_attempt(x, tried, n)),
        )  # fmt: skip
        lines += [self._heads.of(len(packed) + len(told)), packed, told]

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
    """`ScopeSpans.spans`"""
    return b"\x12" + varint(length)


_ours: Final[dict[str, bytes]] = {}
_theirs: Final[dict[str, bytes]] = {}


def _below_ours(flags: str) -> bytes:
    """The flags byte, and above it that the parent is no other process."""
    known = _ours.get(flags)
    if known is None:
        known = _ours[flags] = _unhexlify(f"8501{flags}010000")
    return known


def _below_theirs(flags: str) -> bytes:
    """The same, of a span whose parent is another process."""
    known = _theirs.get(flags)
    if known is None:
        known = _theirs[flags] = _unhexlify(f"8501{flags}030000")
    return known
