"""What an upstream sent before its connection broke or ended.

A write error closes the transport although an early response, which explains the error, may still
lie unread in the kernel. And loops end a TLS connection although what they have read of it may not
be decrypted yet.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

_PIECE = 32 * 1024
_MOST = 1024 * 1024
"""Bytes read from a broken connection at most."""

_ALERT, _CONTENT = 21, 23
"""Types of TLS records (RFC 8446, section 5.1)."""
_ENCRYPTED_ALERT = 2 + 1 + 16
"""Bytes: an alert, its type, and what the ciphers of TLS 1.3 add."""


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


def undecrypted(tls: ssl.SSLObject) -> Iterator[bytes]:
    """What was read and not decrypted yet."""
    with suppress(ssl.SSLError):
        while data := tls.read(_PIECE):
            yield data


def is_closed_in_order(tls: ssl.SSLObject) -> bool:
    """Whether the upstream said that it ends, by close_notify; asked once all is decrypted.

    Anybody on the way can end the TCP connection (RFC 9112, section 9.8).
    """
    try:
        return not tls.read(1)
    except ssl.SSLZeroReturnError:
        return True
    except ssl.SSLError:
        return False


def ends_with_alert(records: bytes) -> bool:
    """Whether the last TLS record is an alert, as far as that shows from outside.

    Encrypted ones are told by their length: no record of content is as short as that.
    """
    at, kind, length = 0, 0, 0
    while at + 5 <= len(records):
        kind, length = records[at], int.from_bytes(records[at + 3 : at + 5])
        at += 5 + length
    return kind == _ALERT or (kind == _CONTENT and length == _ENCRYPTED_ALERT)
