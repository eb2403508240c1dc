"""Parses a chunked body strictly by RFC 9112 §7.1.

Knows no socket: bytes go in by `feed`, and out come the pieces of the body and where it ended.
Whatever two readers could understand in two ways is refused: bare line feeds, blanks around a
size, signs, a size that does not fit. Extensions are read over, trailers are read and dropped;
both are bounded in length, for neither is a body.
"""

import re
from typing import Final

MAX_EXTENSION: Final = 4096
"""Longest line of a chunk's size with its extensions, in bytes."""

MAX_TRAILERS: Final = 16 * 1024
"""Bytes of all trailers together."""

MAX_EXCESS: Final = 16 * 1024
"""Bytes of framing beyond what an honest sender needs for its chunks: 16 a chunk, and as many
again as the chunk has. More is a body made of framing."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_TRAILER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t\x20-\x7e\x80-\xff]*\r\n")
_LARGEST: Final = 1 << 62

_FRAMES: Final = frozenset({b"content-length", b"transfer-encoding"})
"""Fields that would frame the message another time."""

_AT_SIZE: Final = 0
_IN_DATA: Final = 1
_BEHIND_DATA: Final = 2
_IN_TRAILERS: Final = 3
_WHOLE: Final = 4


class ChunkReader:
    """Reads one chunked body."""

    def __init__(self) -> None:
        self._state = _AT_SIZE
        self._left = 0
        """Bytes of the chunk that are still to come."""
        self._line = b""
        """The beginning of a line whose end has not come."""
        self._excess = 0
        self._trailers = 0
        self.why = ""
        """What is wrong with it; empty while nothing is."""

    @property
    def is_whole(self) -> bool:
        return self._state == _WHOLE

    def feed(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Read `data` from `at` on; the body's bytes go to `pieces`.

        Gives the position behind the last byte that belongs to the body.
        """
        size = len(data)
        while at < size and self._state != _WHOLE and not self.why:
            at = self._read_data(data, at, pieces) if self._left else self._read_line(data, at)
        return at

    def _read_data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        end = min(len(data), at + self._left)
        pieces.append(data if end - at == len(data) else data[at:end])
        self._left -= end - at
        if not self._left:
            self._state = _BEHIND_DATA
        return end

    def _read_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1
        if not end:
            self._line += data[at:]
            if len(self._line) > MAX_EXTENSION:
                self.why = "a line of the chunked framing without end"
            return len(data)
        line = data[at:end]
        if self._line:
            line, self._line = self._line + line, b""
        if len(line) > MAX_EXTENSION:
            self.why = "a line of the chunked framing over the limit"
        elif self._state == _AT_SIZE:
            self._begin_chunk(line)
        elif self._state == _BEHIND_DATA:
            self._end_chunk(line)
        else:
            self._end_trailer(line)
        return end

    def _begin_chunk(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        size = int(match[1], 16) if match is not None else _LARGEST
        if size >= _LARGEST:
            self.why = "a chunk's size that is none"
            return
        self._excess = max(0, self._excess + len(line) - 16 - 2 * size)
        if self._excess > MAX_EXCESS:
            self.why = "chunk extensions over the limit"
        self._left = size
        self._state = _IN_DATA if size else _IN_TRAILERS

    def _end_chunk(self, line: bytes) -> None:
        if line != b"\r\n":
            self.why = "a chunk that is longer than its size says"
        self._state = _AT_SIZE

    def _end_trailer(self, line: bytes) -> None:
        if line == b"\r\n":
            self._state = _WHOLE
            return
        match = _TRAILER.fullmatch(line)
        self._trailers += len(line)
        if match is None:
            self.why = "a trailer that is no field"
        elif self._trailers > MAX_TRAILERS:
            self.why = "trailers over the limit"
        elif match[1].lower() in _FRAMES:
            self.why = "a trailer that frames the message"
