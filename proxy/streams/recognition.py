"""Which answers are streams, told by their content type."""

from collections.abc import Collection
from functools import lru_cache

from proxy.streams.framing import EventFraming
from proxy.streams.ndjson import JsonSequence, Ndjson
from proxy.streams.raw import Raw
from proxy.streams.sse import Sse

_SSE = b"text/event-stream"
FRAMINGS: dict[bytes, type[EventFraming]] = {
    _SSE: Sse,
    b"application/x-ndjson": Ndjson,
    b"application/ndjson": Ndjson,
    b"application/jsonl": Ndjson,
    b"application/x-jsonl": Ndjson,
    b"application/x-jsonlines": Ndjson,
    b"application/stream+json": Ndjson,
    b"application/json-seq": JsonSequence,
}
_USUAL_CHARS = 64
"""The length of a content type up to which it is remembered."""


def is_stream(content_type: bytes | None) -> bool:
    """Whether the answer is a stream of events, compressed or not."""
    return media_type(content_type) in FRAMINGS


def is_sse(content_type: bytes | None) -> bool:
    """Whether the answer is a stream of server-sent events, compressed or not."""
    return media_type(content_type) == _SSE


def framing_for(
    content_type: bytes | None, content_encoding: bytes | None, further: Collection[str] = ()
) -> EventFraming | None:
    """A new framing for an answer with these fields; None of a field means that it is absent.

    None where the answer is no stream. A stream that is compressed, or of a `further` type, has
    boundaries that nobody sees.
    """
    named = media_type(content_type)
    kind = FRAMINGS.get(named)
    if kind is not None:
        return Raw() if _is_compressed(content_encoding) else kind()
    return Raw() if further and named.decode("latin-1") in further else None


def media_type(content_type: bytes | None) -> bytes:
    """Type and subtype without parameters, in lower case (RFC 9110 §8.3.1)."""
    if content_type is None:
        return b""
    return _usual(content_type) if len(content_type) <= _USUAL_CHARS else _named(content_type)


@lru_cache(maxsize=128)
def _usual(content_type: bytes) -> bytes:
    return _named(content_type)


def _named(content_type: bytes) -> bytes:
    return content_type.partition(b";")[0].strip().lower()


def _is_compressed(content_encoding: bytes | None) -> bool:
    codings = (content_encoding or b"").lower().split(b",")
    return any(coding.strip() not in (b"", b"identity") for coding in codings)
