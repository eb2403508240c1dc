"""Writes both spans of an exchange of the usual kind in one go: what recurs is written already."""

from binascii import unhexlify
from struct import Struct
from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.tracing.attempt_facts import end_of_attempt
from proxy.tracing.record import SpanRecord
from proxy.tracing.span_events import answered_at, nanoseconds
from proxy.tracing.texts import Texts
from proxy.tracing.usual import BETWEEN, UsualSpans
from proxy.tracing.wire import SPAN_HEADS, below_ours, below_theirs, utf8

_unhexlify: Final = unhexlify
_pack: Final = Struct(f"<Q 2s16s 2s8s 7sQ sQ {BETWEEN}s 16s 2s8s 2s8s 7sQ sQ").pack
_SERVER_SIZE: Final = 60
"""Bytes of the SERVER span that are packed."""


def pair(x: Exchange, span: SpanRecord, tried: Attempt, usual: UsualSpans, texts: Texts) -> bytes:
    """As fields of `ScopeSpans`."""
    ids, parent, below = span.ids, b"", below_ours(span.flags)
    flags = below
    if span.parent_id:
        parent, flags = b"\x22\x08" + _unhexlify(span.parent_id), below_theirs(span.flags)
    span_id = ids[24:]
    is_last = tried.span_id == span.attempt_id
    packed = _pack(
        nanoseconds(x, answered_at(tried)), b"\x0a\x10", ids, b"\x12\x08", span_id, flags,
        nanoseconds(x, x.started), b"\x41", nanoseconds(x, x.ended),
        usual.between, ids,
        b"\x12\x08", ids[16:24] if is_last else _unhexlify(tried.span_id), b"\x22\x08", span_id,
        below, nanoseconds(x, tried.started),
        b"\x41", nanoseconds(x, end_of_attempt(x, tried, 0)),
    )  # fmt: skip
    request_id = utf8(x.request_id)
    head = texts.request_id.of(len(request_id))
    client = texts.client.of(x.client_ip)
    agent = texts.agent.of(x.user_agent) if x.user_agent else b""
    size = len(parent) + len(head) + len(request_id) + len(client) + len(agent) + len(usual.server)
    return b"%b%b%b%b%b%b%b%b%b" % (
        SPAN_HEADS.of(_SERVER_SIZE + size),
        parent,
        head,
        request_id,
        client,
        agent,
        usual.server,
        packed,
        usual.client,
    )
