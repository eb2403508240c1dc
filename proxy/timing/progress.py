"""Whether somebody still takes what was written to it, however slowly.

A socket is writable again only when a large part of what the kernel holds has gone, so that a slow
reader looks like one that is stuck. What the kernel has got rid of shows the difference, and where
the peer is on this host, what it has read.
"""

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from math import inf
from typing import Final

from proxy.clock import now
from proxy.timing.peer_queue import unread_by_peer
from proxy.timing.silence import SilenceClock

LOOK: Final = 1.0
"""Seconds of a wait after which a peer on this host is looked at, for the first time."""

_SIZE: Final = struct.Struct("i")
_ACKED: Final = struct.Struct("Q")
_ACKED_AT: Final = 120
"""Of `tcpi_bytes_acked` in `struct tcp_info` (linux/tcp.h, since 4.2)."""


def unacknowledged(transport: asyncio.BaseTransport) -> int:
    """Bytes in the kernel that the peer has not acknowledged; 0 where it does not say (SIOCOUTQ).

    Linux gives it by the name TIOCOUTQ: tcp(7).
    """
    sock = transport.get_extra_info("socket")
    if sock is None:
        return 0
    try:
        told = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_SIZE.size))
    except (OSError, ValueError):  # another kernel, or closed
        return 0
    return int(_SIZE.unpack(told)[0])


def acknowledged(transport: asyncio.BaseTransport) -> int:
    """Bytes that the peer has acknowledged so far; 0 where the kernel does not say."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return 0
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED_AT + _ACKED.size)
    except (OSError, ValueError):  # no TCP, or closed
        return 0
    return int(_ACKED.unpack_from(told, _ACKED_AT)[0]) if len(told) > _ACKED_AT else 0


class Progress:
    """What one transport still has to get rid of, and the clock of a wait for it.

    `then` is called when the clock has run out; it asks `is_made`.
    """

    __slots__ = (
        "_acknowledged", "_before", "_clock", "_is_tls", "_left", "_limit_at", "_then",
        "_transport", "_unread",
    )  # fmt: skip

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        loop: asyncio.AbstractEventLoop,
        then: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._then = then
        self._clock = SilenceClock(loop, self._look)
        self._before = 0
        self._left = 0.0
        """Seconds of the wait that follow the first look."""
        self._limit_at = inf
        self._unread: int | None = None
        """What had to go, what the peer had not read included, at that look; None: not known."""
        self._is_tls = transport.get_extra_info("ssl_object") is not None
        """Then up to 64 KiB wait where nobody can see them, between TLS and the kernel, and move
        up when the kernel gets rid of some: only what was acknowledged shows it."""
        self._acknowledged = 0

    def watch(self, silence: float, limit: float = inf) -> None:
        """Start the clock: something must go within `silence` seconds."""
        self._before = self._pending()
        self._unread = None
        if self._is_tls:
            self._acknowledged = acknowledged(self._transport)
        first = min(LOOK, silence / 2)
        self._left = silence - first
        self._limit_at = now() + limit
        self._clock.start(first, limit)

    def is_made(self) -> bool:
        """Whether anything has gone since `watch`."""
        if self._is_tls and acknowledged(self._transport) > self._acknowledged:
            return True
        pending = self._pending()
        if pending < self._before or self._unread is None:
            return pending < self._before
        unread = unread_by_peer(self._transport)
        return unread is not None and pending + unread < self._unread

    @property
    def limit_passed(self) -> bool:
        """Whether it was its `limit` that ran out."""
        return self._clock.limit_passed

    def stop(self) -> None:
        self._clock.stop()

    def close(self) -> None:
        self._clock.close()
        self._then = _nothing  # whoever waited is not held by a cycle

    def _look(self) -> None:
        """The wait has lasted for a while: from now on what the peer reads counts as well."""
        left, self._left = self._left, 0.0
        if not left or self._clock.limit_passed:
            self._then()
            return
        unread = unread_by_peer(self._transport)
        if unread is not None:
            self._unread = self._pending() + unread
        self._clock.start(left, self._limit_at - now())

    def _pending(self) -> int:
        return self._transport.get_write_buffer_size() + unacknowledged(self._transport)


def _nothing() -> None: ...
