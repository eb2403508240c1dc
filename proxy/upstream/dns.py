"""Where a host name leads to now.

An answer of the DNS is used for ten seconds, a failure is not kept at all: the name may have been
found a moment later. One host, one answer: there is nothing here that could grow.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

RESOLVE_AGAIN = 10.0
"""Seconds for which an answer is used."""

Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""What getaddrinfo gives."""

Lookup = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Raises socket.gaierror."""


async def ask_system(host: str, port: int) -> Sequence[Address]:
    """By the machine's resolver, in a thread."""
    name = host.encode("ascii")  # as bytes: text would go through the IDNA codec
    return await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)


class Addresses:
    """The addresses of one host."""

    __slots__ = ("_found", "_good_until", "_host", "_lookup", "_pending", "_port")

    def __init__(self, host: str, port: int, lookup: Lookup = ask_system) -> None:
        self._host = host
        self._port = port
        self._lookup = lookup
        self._found = _numeric(host, port)
        self._good_until = float("inf") if self._found else 0.0
        self._pending: asyncio.Task[Sequence[Address]] | None = None

    async def resolve(self) -> Sequence[Address]:
        """Raises socket.gaierror.

        One lookup serves all who wait for it, and goes on when they have left: it holds a thread
        until it ends, so there is never more than one.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._good_until:
            return self._found
        if self._pending is None:
            self._pending = loop.create_task(self._look_up(loop))
            self._pending.add_done_callback(self._looked_up)
        return await asyncio.shield(self._pending)

    def close(self) -> None:
        """Nobody waits any more."""
        if self._pending is not None:
            self._pending.cancel()

    async def _look_up(self, loop: asyncio.AbstractEventLoop) -> Sequence[Address]:
        self._found = await self._lookup(self._host, self._port)
        self._good_until = loop.time() + RESOLVE_AGAIN
        return self._found

    def _looked_up(self, lookup: asyncio.Task[Sequence[Address]]) -> None:
        self._pending = None
        if not lookup.cancelled():
            lookup.exception()  # whoever still waits has it; nobody may be left


def _numeric(host: str, port: int) -> Sequence[Address]:
    """The address itself, if `host` is one; empty where the DNS must be asked."""
    name = host.encode("ascii")
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return ()
