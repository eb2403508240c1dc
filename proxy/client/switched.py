"""A client's connection once its protocol was switched: a tunnel has it, and HTTP is over."""

import asyncio

from proxy import outcome as o
from proxy.client.connection import ClientConnection
from proxy.client.request import RequestError
from proxy.client.states import CLOSED, TUNNEL


class SwitchedClient:
    """What a tunnel asks of the connection."""

    __slots__ = ("_client",)

    def __init__(self, client: ClientConnection) -> None:
        self._client = client

    def hand_over(self, to: asyncio.BaseProtocol) -> bytes:
        """From now on `to` has the connection. Gives the bytes behind the request.

        Raises RequestError where the client has left.
        """
        client, transport = self._client, self._client.transport
        if transport is None:
            raise RequestError(o.CLIENT_CLOSED_STREAM, "left before the tunnel began")
        client.enter(TUNNEL)
        client.outlives_client = True  # `to` notices its leaving, and says so by `on_lost`
        early = client.reader.rest()
        client.intake.account()
        transport.set_protocol(to)
        to.connection_made(transport)
        client.resume_reading()
        return early

    def on_lost(self, exc: Exception | None) -> bytes:  # noqa: ARG002 - as endpoints' connections
        """The connection is lost. All that had arrived was read."""
        if self._client.state != CLOSED:
            self._client.lost()
        return b""
