"""Which answers are streams of events, told by their content type."""

from proxy.streams.framing import EventFraming
from proxy.streams.ndjson import Ndjson
from proxy.streams.sse import Sse

_SSE = b"text/event-stream"
_FRAMINGS: dict[bytes, type[EventFraming]] = {
    _SSE: Sse,
    b"application/x-ndjson": Ndjson,
}


def is_stream(content_type: bytes | None) -> bool:
    """Whether the answer is a stream of events, compressed or not."""
    return _media_type(content_type) in _FRAMINGS


def is_sse(content_type: bytes | None) -> bool:
    """Whether the answer is a stream of server-sent events, compressed or not."""
    return _media_type(content_type) == _SSE


def framing_for(content_type: bytes | None, content_encoding: bytes | None) -> EventFraming | None:
    """A new framing for an answer with these fields; None of a field means that it is absent.

    None where the answer is no stream, or is compressed: then it has boundaries that nobody sees.
    """
    kind = _FRAMINGS.get(_media_type(content_type))
    if kind is None or _is_compressed(content_encoding):
        return None
    return kind()


def _media_type(content_type: bytes | None) -> bytes:
    """Type and subtype without parameters, in lower case (RFC 9110 §8.3.1)."""
    return (content_type or b"").partition(b";")[0].strip().lower()


def _is_compressed(content_encoding: bytes | None) -> bool:
    codings = (content_encoding or b"").lower().split(b",")
    return any(coding.strip() not in (b"", b"identity") for coding in codings)
