"""What an upstream sent before its connection broke.

A write error closes the transport although an early response, which explains the error, may still
lie unread in the kernel.
"""

import socket
from collections.abc import Iterator

_PIECE = 32 * 1024
_MOST = 1024 * 1024
"""Bytes read from a broken connection at most."""


def unread(sock: socket.socket) -> Iterator[bytes]:
    """What lies in the kernel; an end found there proves nothing: a reset leaves no more."""
    room = _MOST
    while room > 0:
        try:
            data = sock.recv(_PIECE)
        except OSError:
            return
        if not data:
            return
        room -= len(data)
        yield data
