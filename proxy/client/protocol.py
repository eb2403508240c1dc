"""The asyncio protocol of a client's connection; forwards every call to the connection."""

import asyncio
from typing import cast

from proxy.client.connection import ClientConnection
from proxy.client.serving import serve
from proxy.client.states import TUNNEL

_ROOM = memoryview(bytearray(64 * 1024))
"""Where the loop puts what it reads, for all connections: without it loops read 256 KiB at once."""

_NARROW = _ROOM[: 8 * 1024]
"""For a connection whose last read brought a body in crumbs."""


class ClientProtocol(asyncio.BufferedProtocol):
    """The loop's side of a connection."""

    __slots__ = ("_room", "_transport", "client")

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self._room = _ROOM
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance
        self._transport = cast("asyncio.Transport", transport)
        if self.client.made(self._transport):
            self.client.task = self.client.loop.create_task(serve(self.client))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        client, room = self.client, self._room
        client.received(bytes(room[:nbytes]))
        self._room = _NARROW if client.reader.body.is_fragmented else _ROOM
        is_filled = nbytes == len(room)
        if is_filled and self._is_read and not client.reader.may_switch:  # a tunnel may take it
            # there may be more: uvloop would read up to 32 times before it looks at anybody else
            self._transport.pause_reading()
            client.loop.call_soon(self._read_on)

    @property
    def _is_read(self) -> bool:
        return self.client.state < TUNNEL and not self.client.reading.is_paused

    def _read_on(self) -> None:
        """All others had their turn."""
        if self._is_read:
            self._transport.resume_reading()

    def eof_received(self) -> None:
        """The transport closes itself: a client that ended its side is gone."""
        self.client.exit = "fin"

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.client.exit = "reset"
        self.client.lost()

    def pause_writing(self) -> None:
        self.client.paused()

    def resume_writing(self) -> None:
        self.client.resumed()
