"""The sending half of a connection: the request's bytes, and waiting for an upstream that is slow.

Knows nothing of what it sends.
"""

import asyncio

from proxy.timing.progress import Progress


class RequestWriter:
    """Sends one request after the other."""

    __slots__ = (
        "_drained", "_loop", "bytes_before", "bytes_sent", "is_paused", "is_uploading", "sent_at",
        "transport", "was_read",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._drained: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport
        """Set once there is a connection."""
        self.is_paused = False
        """Whether the upstream is slower than the sender, who awaits `drained` before more."""
        self.bytes_before = self.bytes_sent = 0
        """Bytes handed over for requests before this one."""
        self.reset()

    def reset(self) -> None:
        """Another request comes next."""
        self.is_uploading = False
        """Set by the sender while more of the request is still to come."""
        self.bytes_before += self.bytes_sent
        self.bytes_sent = 0
        """Bytes handed over for sending; 0 proves that the upstream saw nothing."""
        self.sent_at = 0.0
        """When bytes were last handed over, on the loop's clock."""
        self.was_read = False
        """Whether the upstream was seen to read of this request."""

    @property
    def silence(self) -> float:
        """Seconds since bytes were last handed over."""
        return self._loop.time() - self.sent_at

    @property
    def has_unsent(self) -> bool:
        """Whether bytes still wait to be sent."""
        return self.transport.get_write_buffer_size() > 0

    def send(self, data: bytes) -> None:
        """Send a part of the request; on a closed connection nothing happens."""
        transport = self.transport
        if not transport.is_closing():
            transport.write(data)
            self.bytes_sent += len(data)
            self.sent_at = self._loop.time()

    async def drained(self, silence: float) -> bool:
        """Wait until the upstream has taken enough, or the connection is closed.

        False if it took nothing for `silence` seconds.
        """
        progress = Progress(self.transport, self._loop, self._let_go)
        try:
            while self.is_paused:
                drained = self._drained = self._loop.create_future()
                progress.watch(silence)
                await drained
                if self.is_paused and not progress.is_made():
                    return False
        finally:
            progress.close()
        return True

    def pause(self) -> None:
        """The upstream is slow."""
        self.is_paused = True

    def resume(self) -> None:
        """The upstream has taken enough."""
        self.was_read = True
        self.close()

    def close(self) -> None:
        """Nobody need wait any more."""
        self.is_paused = False
        self._let_go()

    def _let_go(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None
