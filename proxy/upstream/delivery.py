"""What the kernel knows of a request's delivery: whether a byte of it has reached the upstream.

Asks `TCP_INFO` (tcp(7)), which Linux alone has in this form; a Unix socket has none at all.
"""

import socket
import struct
import sys
from contextlib import suppress
from typing import Final

from proxy.upstream.ending import Arrival

_OPTION: Final[int] = getattr(socket, "TCP_INFO", 0) if sys.platform == "linux" else 0
"""0 where there is none."""
_FIELDS: Final = struct.Struct("=120xQ72xQQ")
"""`tcpi_bytes_acked`, `tcpi_bytes_sent`, `tcpi_bytes_retrans`."""


class Delivery:
    """Of what is sent on a connected socket after `begin`."""

    __slots__ = ("_asked", "_first", "_handed", "_is_kept", "_is_tls", "socket")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._is_kept = False
        """Whether the socket is a copy of our own."""
        self._is_tls = False
        self._first = self._read()
        """Before a byte was sent; a kernel may count the connection itself as one."""
        self._asked: tuple[int, int] | None = None
        """What the kernel said when the request began, where it was asked."""
        self._handed = 0

    def keep(self) -> None:
        """Of a TLS connection: loops close its socket before they say how it ended."""
        self._is_tls = True
        with suppress(OSError):  # no descriptor left: then that is not known
            self.socket = self.socket.dup()
            self._is_kept = True

    def close(self) -> None:
        """Nothing more is asked."""
        if self._is_kept:
            self.socket.close()

    def begin(self, handed: int) -> None:
        """A request follows: the `handed` bytes until now, and handshakes, are another's.

        Only of TLS must the kernel be asked, who alone knows what became of them.
        """
        self._handed = handed
        if self._is_tls or self._first is None:
            self._asked = self._read()

    @property
    def _before(self) -> tuple[int, int] | None:
        """Bytes acknowledged and sent when the request began."""
        first = self._first
        if self._is_tls or first is None:
            return self._asked
        return first[0] + self._handed, first[1] + self._handed

    def arrival(self) -> Arrival | None:
        """How far it came; None where the kernel does not say, or the socket is closed."""
        before, after = self._before, self._read()
        if before is None or after is None:
            return None
        if after[0] > before[0]:
            return "acknowledged"
        return "unacknowledged" if after[1] > before[1] else "unsent"

    def is_behind(self, sent: int) -> bool:
        """Whether it is known that less than `sent` bytes were acknowledged."""
        before, after = self._before, self._read()
        return before is not None and after is not None and after[0] - before[0] < sent

    def _read(self) -> tuple[int, int] | None:
        """Bytes acknowledged and bytes sent, ever; each byte counts once."""
        if not _OPTION:
            return None
        try:
            info = self.socket.getsockopt(socket.IPPROTO_TCP, _OPTION, _FIELDS.size)
        except OSError:
            return None
        if len(info) < _FIELDS.size:
            return None  # a kernel before 4.19
        acked, sent, again = _FIELDS.unpack(info)
        return acked, sent - again
