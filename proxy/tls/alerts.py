"""A TLS context that tells clients why their handshake failed.

Event loops drop the alert that the library has made for it, and clients would see a reset without a
word (RFC 8446 §6.2).
"""

import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import Any, cast


class AlertingObject(ssl.SSLObject):
    """The TLS of one connection."""

    sock: socket.socket | None = None
    """Of the connection, during its handshake."""
    outgoing: ssl.MemoryBIO
    """What the library wants to be sent."""

    def do_handshake(self) -> None:
        """As it is inherited; the alert of a failure is sent at once, as far as the socket takes
        it."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if self.sock is not None:
                with suppress(OSError):  # the client is gone
                    self.sock.send(self.outgoing.read())
            raise
        self.sock = None


class AlertingContext(ssl.SSLContext):
    """Of a port."""

    sslobject_class = AlertingObject
    begun: deque[socket.socket]
    """Sockets whose handshake the loop was asked to do and has not begun; it begins them in the
    order in which it was asked."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
                 ) -> ssl.SSLObject:  # fmt: skip
        """As it is inherited."""
        made = cast("AlertingObject", super().wrap_bio(incoming, outgoing, *args, **kwargs))
        made.outgoing = outgoing
        made.sock = self.begun.popleft() if self.begun else None
        return made

    def forget(self, sock: socket.socket) -> None:
        """Its handshake is over, whether it was begun or not."""
        if sock in self.begun:
            self.begun.remove(sock)
