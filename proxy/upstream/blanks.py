"""Header lines of an upstream with blanks before the colon, which a proxy takes out.

RFC 9112, section 5.1. The parser refuses them, so what it was fed of the head goes in anew,
line by line; only heads that it has refused come here.
"""

import re
from collections.abc import Iterator
from typing import Final

_PADDED: Final = re.compile(rb"^([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]+(?=:|\Z)", re.MULTILINE)


def is_padded(head: bytes) -> bool:
    """Whether a line of `head` has, or ends in, such blanks: the colon may be still to come."""
    return _PADDED.search(head) is not None


class Unpadded:
    """The lines of a head as they become whole, without such blanks."""

    __slots__ = ("_at", "_data")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    @property
    def rest(self) -> bytes:
        """What stands behind the last line that was given."""
        return self._data[self._at :]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The next lines; whoever has enough of them stops, and finds the `rest`."""
        self._data = self.rest + data
        self._at = 0
        while (end := self._data.find(b"\n", self._at) + 1) > 0:
            line = self._data[self._at : end]
            self._at = end
            yield _PADDED.sub(rb"\1", line, count=1)
