"""A fixed answer: its status, and its body in each form that a client may ask for."""

from dataclasses import dataclass

from proxy.fallback.rules import LARGEST
from proxy.fallback.streamed import as_stream, streams_of
from proxy.http.accept import named_quality, quality
from proxy.streams.recognition import is_stream, media_type
from proxy.streams.rules import EndMarkerRule


@dataclass(frozen=True, slots=True)
class StaticAnswer:
    """`kind` is its content type; `streams` are the same words as a stream, by content type."""

    status: int
    kind: bytes
    body: bytes
    streams: dict[bytes, bytes]

    def form(self, accept: bytes | None) -> tuple[bytes, bytes]:
        """Content type and body for a client with this `Accept`: a stream for one that names its
        type and wants it no less than the answer as it is."""
        if accept is not None:
            wanted = quality(accept, media_type(self.kind))
            best = max(self.streams, key=lambda kind: named_quality(accept, kind), default=b"")
            if best and named_quality(accept, best) >= max(wanted, 0.001):
                return best, self.streams[best]
        return self.kind, self.body


def static_answer(status: int, kind: str, body: bytes, marker: EndMarkerRule) -> StaticAnswer:
    """The answer. Raises ValueError, with words that follow its name, where `body` is too large or
    not what `kind` says."""
    if len(body) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 1024}KiB; a fallback is kept in memory")
    named = kind.encode()
    if is_stream(named):
        body = as_stream(media_type(named), body, marker)
    elif kind.startswith("text/") and "charset=" not in kind:
        named += b"; charset=utf-8"
    return StaticAnswer(status, named, body, streams_of(kind, body, marker))
