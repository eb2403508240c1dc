"""A connected socket that is done with by a moment, however slowly the other side goes on.

Blocking, for threads. A timeout of the socket's own would begin anew with each piece, and a timer
beside it is a thread for each batch.
"""

import io
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from proxy import clock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
_MOST_PIECES: Final = 1024
"""The kernel takes no more at a time (`IOV_MAX`)."""
_MOST_READ: Final = 1 << 20
"""Bytes of an answer; `http.client` has no limit where the length of a chunk is nonsense."""


class TimedSocket:
    """What the response of `http.client` is read by. Raises TimeoutError from `ends_by` on."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self.ends_by = 0.0
        """On `clock.now`."""
        self._given_back = b""

    def send_all(self, pieces: Sequence[bytes]) -> None:
        """One behind the other."""
        if not isinstance(self._sock, ssl.SSLSocket) and len(pieces) <= _MOST_PIECES:
            size = sum(map(len, pieces))
            sent = self._done(partial(self._sock.sendmsg, pieces), select.POLLOUT)
            if sent == size:
                return
            left = memoryview(b"".join(pieces))[sent:]
        else:
            left = memoryview(b"".join(pieces))
        while left:
            left = left[self._done(partial(self._sock.send, left), select.POLLOUT) :]

    def recv(self, most: int) -> bytes:
        """Some bytes at least; none at the end."""
        return self._done(partial(self._sock.recv, most), select.POLLIN)

    def give_back(self, data: bytes) -> None:
        """Have it read once more, by `makefile`."""
        self._given_back = data

    def makefile(self, _mode: str) -> io.BufferedReader:
        given, self._given_back = self._given_back, b""
        return io.BufferedReader(_Reader(self, given))

    def close(self) -> None:
        self._sock.close()

    def _done(self, operation: Callable[[], T], awaited: int) -> T:
        """Try until it works; `awaited` is what to wait for where it says nothing else."""
        while self.ends_by > clock.now():
            try:
                return operation()
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)
            except BlockingIOError:
                self._wait(awaited)
        raise TimeoutError

    def _wait(self, event: int) -> None:
        poll = select.poll()
        poll.register(self._sock, event)
        poll.poll(max(0.0, self.ends_by - clock.now()) * 1000)


class _Reader(io.RawIOBase):
    def __init__(self, sock: TimedSocket, first: bytes) -> None:
        self._sock, self._first = sock, first
        self._left = _MOST_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        data, self._first = self._first or self._sock.recv(len(room)), b""
        if len(data) > len(room):
            data, self._first = data[: len(room)], data[len(room) :]
        room[: len(data)] = data
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("an answer without an end")
        return len(data)
