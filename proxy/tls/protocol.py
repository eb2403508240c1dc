"""The loop's side of a connection that speaks TLS; forwards every call to the stage it is in.

The first is the handshake, the second the transport of what is said behind it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

_ROOM = memoryview(bytearray(32 * 1024))
"""Where the loop puts what it reads, for all connections."""


class Stage(Protocol):
    """What the loop's side tells."""

    def received(self, data: memoryview) -> None:
        """Bytes from the peer; they are overwritten afterwards."""

    def ended(self) -> None:
        """The peer has closed its side; so will the loop."""

    def lost(self, exc: Exception | None) -> None:
        """The connection is gone."""

    def paused(self) -> None:
        """More waits to be sent than should."""

    def resumed(self) -> None:
        """Less does again."""


class TlsProtocol(asyncio.BufferedProtocol):
    """`begin` makes the first stage."""

    __slots__ = ("_begin", "stage")

    def __init__(self, begin: "Callable[[TlsProtocol, asyncio.Transport], Stage]") -> None:
        self._begin = begin
        self.stage: Stage

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport to isinstance
        self.stage = self._begin(self, cast("asyncio.Transport", transport))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's interface
        return _ROOM

    def buffer_updated(self, nbytes: int) -> None:
        self.stage.received(_ROOM[:nbytes])

    def eof_received(self) -> None:
        self.stage.ended()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stage.lost(exc)

    def pause_writing(self) -> None:
        self.stage.paused()

    def resume_writing(self) -> None:
        self.stage.resumed()
