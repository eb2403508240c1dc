"""A connection to an endpoint once its protocol was switched: a tunnel has it, and HTTP is over."""

import asyncio

from proxy.upstream.connection import Connection
from proxy.upstream.states import CLOSED


class SwitchedEndpoint:
    """What a tunnel asks of the connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hand_over(self, to: asyncio.BaseProtocol) -> bytes:
        """From now on `to` has the connection. Gives the bytes behind the 101.

        Where it is closed already, `to` is told of that a moment later.
        """
        protocol = self._connection.protocol
        protocol.transport.set_protocol(to)
        to.connection_made(protocol.transport)
        if protocol.state == CLOSED:
            words = protocol.reset_by
            error = None if words is None else ConnectionResetError(words)
            self._connection.loop.call_soon(to.connection_lost, error)
        return self._connection.take_buffered()

    def on_lost(self, exc: Exception | None) -> bytes:
        """The connection is lost; gives what had arrived all the same."""
        protocol = self._connection.protocol
        if protocol.state != CLOSED:
            protocol.connection_lost(exc)
        return protocol.reader.take_chunks()
