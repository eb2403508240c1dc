"""Boundaries of server-sent events, after the WHATWG HTML standard §9.2.

A line ends with LF, CR or CRLF, a blank line ends an event, a line that begins with `:` is a
comment, and an event without a `data` field is never dispatched.

Three boundaries need a word:

* A CR may be half of a CRLF. Where it ends an event at the end of a read, the event goes on at
  once; the LF, should it follow, goes on as it comes and reads as the rest of that line end or as
  a blank line between events, which is the same thing.
* A comment line between events is passed on at once, without its blank line: no field is pending,
  so an event may begin behind it. A keep-alive is never delayed.
* What begins with a line that is neither a comment nor a field of the standard is no event: plain
  tokens, or lines such as `0:"a"`. It goes on as it comes, to the next blank line.
"""

import re
from collections.abc import Iterator
from typing import ClassVar

from proxy.streams.framing import EventFraming, Profile, StreamEvent

KEEP_ALIVE = b": keep-alive\n"
"""No blank line: public clients dispatch an empty event at each, once they have seen an `id`."""

_BOM = b"\xef\xbb\xbf"
_USUAL_ENDS = (b"\n\n", b"\n\r\n")
_IDLE_LINES = re.compile(rb"(?:[\r\n]|:[^\r\n]*+[\r\n])*+")
_BLANK_LINES = (b"\n\n", b"\n\r", b"\r\r")
_OWN_LINE = re.compile(
    rb":|(?:data|event|id|retry)(?:[:\r\n]|\Z)|(?:d|da|dat|e|ev|eve|even|i|r|re|ret|retr)?\Z"
)
"""A line of an event stream, or what may become one."""
_DATA_LINE = re.compile(rb"[\r\n]data[:\r\n]")


class Sse(EventFraming):
    """The framing of one `text/event-stream`."""

    __slots__ = ("_has_begun", "_is_preceded")

    profile: ClassVar[Profile] = "sse"

    def __init__(self) -> None:
        super().__init__()
        self._has_begun = False
        self._is_preceded = False

    def feed(self, data: bytes) -> bytes:
        if not self._has_begun:
            return self._begin(data)
        if (
            data.startswith(b"data:")
            and data.find(b"\n\n") == len(data) - 2
            and 13 not in data  # a CR: `in` is cheap for a number, and dear for bytes
            and not self._tail
        ):  # one event, as in most reads; the long way would find the same
            self.events += 1
            self.has_event, self.ends_unseen = True, False
            self.whole = data
            return data
        return super().feed(data)

    def heartbeat(self) -> bytes:
        """Between events only, and not where all that came is none."""
        if self._passed or (self.is_raw and not self.events):
            return b""
        self._is_preceded = True
        return KEEP_ALIVE

    def read(self, whole: bytes) -> Iterator[StreamEvent]:
        """Blocks without data as well: some upstreams end with a bare `event: end`."""
        for block in _with_lf(whole).removeprefix(_BOM).split(b"\n\n"):
            if block:
                yield _parsed(block)

    def _begin(self, data: bytes) -> bytes:
        """Take the byte order mark off the stream, so that every event begins with its field."""
        start = self._tail + data
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._tail = start
            self.held = len(start)
            self.whole, self.has_event = b"", False
            return b""
        self._has_begun = True
        self._tail = b""
        self.held = 0
        if not start.startswith(_BOM):
            return super().feed(start)
        passed = super().feed(start[len(_BOM) :])
        # behind a heartbeat of ours it is no mark any more, but a part of the first field's name
        return passed if self._is_preceded else _BOM + passed

    def _boundary(self, text: bytes, held: int) -> int:
        if text.endswith(_USUAL_ENDS):
            return len(text)  # nothing to look for
        if text.find(b"\n", held) < 0 and text.find(b"\r", held) < 0:
            return 0  # no line has ended: a long one is not looked through at each of its bytes
        new = max(held - 1, 0)
        last = max(text.rfind(b"\n\n", new), text.rfind(b"\n\r", new), text.rfind(b"\r\r", new))
        return _idle_end(text, 0 if last < 0 else last + 2)

    def _first_end(self, text: bytes, seen: int) -> int:
        start = max(seen - 1, 0)
        found = [at for line in _BLANK_LINES if (at := text.find(line, start)) >= 0]
        return min(found) + 2 if found else 0

    def _is_foreign(self, text: bytes, at: int) -> bool:
        return _OWN_LINE.match(text, at) is None

    def _has_foreign(self, whole: bytes) -> bool:
        if _idle_end(whole) == len(whole):
            return False
        blocks = (block + b"\n" for block in _with_lf(whole).split(b"\n\n"))
        return any(self._is_foreign(block, _idle_end(block)) for block in blocks)

    def _end_of_lines(self, tail: bytes) -> int:
        return max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1

    def _carries_data(self, text: bytes) -> bool:
        return text.find(b"data") >= 0 and _DATA_LINE.search(text) is not None

    def _count(self, whole: bytes) -> int:
        """Without a loop where it can be proved that none is needed.

        Where each `data:` behind a pair of LF and the end have two LF, and there are no others,
        every event is one line of data.
        Runs of two LF or more end the events, and each holds at least one pair of LF.
        Fewer than two pairs are one run at most, and one event.
        Of n pairs, n - 1 followed by `data:`: the last run is followed by no event, so there are
        n runs, all but the last with an event behind them that begins with its data.
        """
        if whole.find(b"\r") >= 0:
            whole = _with_lf(whole)
        begun = whole.count(b"\n\ndata:") + 1 if whole.startswith(b"data:") else 0
        if begun and whole.endswith(b"\n\n") and whole.count(b"\n") == 2 * begun:
            return begun
        pairs = whole.count(b"\n\n")
        if pairs < 2:
            return int(_has_data(whole))
        if pairs == begun:
            return pairs
        return sum(map(_has_data, whole.split(b"\n\n")))


def _idle_end(text: bytes, start: int = 0) -> int:
    """Where the blank lines and comments that begin at `start` end."""
    idle = _IDLE_LINES.match(text, start)
    return idle.end() if idle else start


def _with_lf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _has_data(block: bytes) -> bool:
    """Whether a line of `block` is a `data` field; one without a colon is a field as well."""
    if block.startswith(b"data:") or block.find(b"\ndata:") >= 0:
        return True
    return block.find(b"data") >= 0 and b"data" in block.split(b"\n")


def _parsed(block: bytes) -> StreamEvent:
    name, data = b"", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return StreamEvent(name, b"\n".join(data))
