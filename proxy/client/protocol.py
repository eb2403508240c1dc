"""The asyncio protocol of a client's connection; forwards every call to the connection."""

import asyncio
from typing import cast

from proxy.client.connection import ClientConnection
from proxy.client.serving import serve

_ROOM = memoryview(bytearray(64 * 1024))
"""Where the loop puts what it reads, for all connections: without it loops read 256 KiB at once."""


class ClientProtocol(asyncio.BufferedProtocol):
    """The loop's side of a connection."""

    __slots__ = ("client",)

    def __init__(self, client: ClientConnection) -> None:
        self.client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance
        if self.client.made(cast("asyncio.Transport", transport)):
            self.client.task = asyncio.ensure_future(serve(self.client))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return _ROOM

    def buffer_updated(self, nbytes: int) -> None:
        self.client.received(bytes(_ROOM[:nbytes]))

    def eof_received(self) -> None:
        """The transport closes itself: a client that ended its side is gone."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - all are the same
        self.client.lost()

    def pause_writing(self) -> None:
        self.client.paused()

    def resume_writing(self) -> None:
        self.client.resumed()
