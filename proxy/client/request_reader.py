"""Splits the bytes of a client into requests: a head by its empty line, a body by its framing.

Knows no socket and no clock. Bytes that came are never read twice and never before their turn:
what follows a request waits, unread, until that request is done. So a fault in it cannot touch
what came before, and a client that sends ahead is bounded by the room it has.
"""

import re
from typing import Final

from proxy import outcome as o
from proxy.client.body import HIGH_WATER, NO_BODY, Body
from proxy.client.head_reader import (
    HeadLimits,
    HeadReader,
    RequestLine,
    RequestRefusal,
    read_line,
    refusal_of,
)
from proxy.http.request_head import RequestHead
from proxy.outcome import Outcome

_HEAD_END: Final = b"\r\n\r\n"
_LINE_END: Final = b"\r\n"
_LINE_ENDS = re.compile(rb"(?:\r\n)+")
_BARE_END = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
_LETTER = re.compile(rb"[A-Za-z]")
_HEADS: Final = HeadReader()
_CR: Final = 0x0D
_NO_LINE: Final = RequestLine("", "", (1, 1), None, "")


class RequestReader:
    """Cuts the bytes of one connection into requests."""

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._room = max(HIGH_WATER, limits.uri_bytes + limits.head_bytes + 4)
        """Bytes that the largest head there may be needs, and its two line ends."""
        self._uri_bytes = limits.uri_bytes
        self._unjudged = min(limits.header_bytes, limits.head_bytes)
        """Bytes of header lines up to which no limit of length can be passed."""
        self._data = b""
        """Bytes that came, of which those before `_at` are done with."""
        self._at = 0
        self._seen = 0
        """Position up to which no head's end was found."""
        self._end = 0
        """Position behind the head that is whole; 0 while none is."""
        self._line: RequestLine | None = None
        """The request line, once it has arrived."""
        self._refusal: RequestRefusal | None = None
        self.is_over = False
        """Whether nothing is read any more: what comes is dropped."""
        self.body: Body = NO_BODY
        """The body of the last request given."""
        self.may_switch = False
        """Whether the last request given asked for another protocol: no HTTP may follow it."""

    def add(self, data: bytes) -> None:
        """Bytes from the client: the rest of the last body, and what stands behind it."""
        if self.is_over or self._refusal is not None:
            return
        at, body = 0, self.body
        if not body.is_whole:
            at = body.feed(data)
            if body.failure is not None:
                self.stop()
                return
            if at == len(data):
                return
        if not self._data:
            self._data = data
            self._at = self._seen = at
        else:
            self._data = self._data[self._at :] + data[at:]
            self._seen -= self._at
            if self._end:
                self._end -= self._at
            self._at = 0

    @property
    def held(self) -> int:
        """Bytes that wait for their turn."""
        return len(self._data) - self._at

    @property
    def is_read(self) -> bool:
        """Whether the last request is here as a whole, and nothing behind it."""
        return self.body.is_whole and not self.is_over and self._at == len(self._data)

    @property
    def is_at_end(self) -> bool:
        """Whether the last request had no body, and nothing stands behind it."""
        return not self._data and self.body is NO_BODY

    @property
    def is_full(self) -> bool:
        """Whether no more is to be read from the client for now."""
        return self.body.buffered > HIGH_WATER or len(self._data) - self._at >= self._room

    @property
    def has_begun(self) -> bool:
        """Whether anything of the next request has arrived, as `is_ready` has found.

        Line ends before it do not count, nor does the half of one.
        """
        held = len(self._data) - self._at
        return held > 1 or (held == 1 and self._data[self._at] != _CR)

    def stop(self) -> None:
        """Read nothing any more: what is here and what comes is dropped."""
        self.is_over = True
        self._data = b""
        self._at = self._seen = self._end = 0

    def is_ready(self) -> bool:
        """Whether the next request is there: its head is whole, or is refused already."""
        if self._end:
            return True
        data, at = self._data, self._at
        if at == len(data) or self._refusal is not None:
            return self._refusal is not None
        if self._line is None and data[at] == _CR:
            if not self._skip_line_ends():
                return False
            data, at = self._data, self._at
        end = data.find(_HEAD_END, at if self._seen < at + 3 else self._seen - 3)
        if end >= 0:
            self._end = end + 4
            return True
        return self._look_at_part()

    def take(self) -> RequestHead | RequestRefusal:
        """The next request, once `is_ready`; its body is `body`."""
        if self._line is None and self._refusal is None:
            self._judge_line()
        if self._end - self._at > self._unjudged and self._refusal is None:
            self._judge_lengths(self._end - 2)
        if self._refusal is not None:
            self.body = NO_BODY
            self.stop()
            return self._refusal
        asked = _HEADS.read(self._line or _NO_LINE, self._data[self._at : self._end], self._limits)
        if isinstance(asked, RequestRefusal):
            self.stop()
            return asked
        self.may_switch = asked.wants_websocket
        self._begin_body(asked)
        return asked

    def refuse(self, outcome: Outcome, why: str) -> None:
        """Give the unfinished head up: `take` gives the refusal."""
        if self._refusal is None:
            line = self._line or read_line(self._first_line())
            part = self._data[self._at : self._at + self._room]
            self._refusal = refusal_of(line, part, self._limits, outcome, why)
            self._data = b""
            self._at = self._seen = self._end = 0

    def rest(self) -> bytes:
        """Hand the bytes behind the last request over, and read nothing any more."""
        rest = self._data[self._at :]
        self.stop()
        return rest

    def _begin_body(self, asked: RequestHead) -> None:
        """The bytes at hand are the body's first ones; what is left waits."""
        self._line = None
        at, self._end = self._end, 0
        body = self.body = Body(asked.length) if asked.has_body else NO_BODY
        if asked.has_body and at < len(self._data):
            at = body.feed(self._data, at)
        if at == len(self._data):
            self._data, at = b"", 0
        self._at = self._seen = at
        if body.failure is not None:
            self.stop()

    def _first_line(self) -> bytes:
        end = self._data.find(_LINE_END, self._at)
        return self._data[self._at : end if end >= 0 else self._at + self._uri_bytes]

    def _skip_line_ends(self) -> bool:
        """Empty lines before a request are read over (RFC 9112 §2.2). Whether one has begun."""
        match = _LINE_ENDS.match(self._data, self._at)
        if match is not None:
            self._at = match.end()
            self._seen = max(self._seen, self._at)
        if self._at == len(self._data):
            self._data = b""
            self._at = self._seen = 0
            return False
        return self.has_begun

    def _look_at_part(self) -> bool:
        """Judge what has arrived of a head. Whether it is refused already."""
        if self._line is None and not _LETTER.match(self._data, self._at):
            self.refuse(o.BAD_REQUEST, read_line(self._first_line()).why)
        elif _BARE_END.search(self._data, max(self._at, self._seen - 1)):
            self.refuse(o.BAD_REQUEST, "a line that ends in LF or CR alone")
        elif self._line is None:
            self._judge_line()
        if self._refusal is None and self._line is not None:
            self._judge_lengths(self._part_end)
        self._seen = len(self._data)  # all of it was looked at, if it is still there
        return self._refusal is not None

    def _judge_line(self) -> None:
        """Read the request line, where it has arrived."""
        end = self._data.find(_LINE_END, self._at)
        length = (end if end >= 0 else self._part_end) - self._at
        if length > self._uri_bytes:
            self.refuse(o.URI_TOO_LONG, "request line over the limit")
        elif end >= 0:
            line = read_line(self._data[self._at : end])
            self._line = line
            if line.refused is not None:
                self.refuse(line.refused, line.why)

    @property
    def _part_end(self) -> int:
        """Position behind what has arrived of a head, the half of a line's end left out."""
        return len(self._data) - self._data.endswith(b"\r")

    def _judge_lengths(self, end: int) -> None:
        """Hold the header lines up to `end` to their limits; whole ones before `_seen` were."""
        begin = self._data.find(_LINE_END, self._at) + 2
        if end - begin > self._limits.head_bytes:
            self.refuse(o.HEADERS_TOO_LARGE, "header lines over the limit together")
            return
        at = max(begin, self._data.rfind(_LINE_END, begin, self._seen) + 2)
        if end - at <= self._limits.header_bytes:
            return
        while 0 <= at < end:
            behind = self._data.find(_LINE_END, at, end)
            if (behind if behind >= 0 else end) - at > self._limits.header_bytes:
                self.refuse(o.HEADERS_TOO_LARGE, "header line over the limit")
                return
            at = behind + 2 if behind >= 0 else -1
