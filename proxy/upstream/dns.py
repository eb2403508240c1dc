"""Where a host name leads to now.

A name is looked up again every half minute from its first use on, beside the traffic; the system's
resolver does not say how long an answer holds. While the DNS fails, the last good answer stays in
use. One host, one answer, one lookup at a time: there is nothing here that could grow.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from itertools import zip_longest

from proxy.clock import now
from proxy.upstream.resolved import MOST_TOLD, Resolved

RESOLVE_AGAIN = 30.0
"""Seconds after which a name is looked up again."""

MOST_ADDRESSES = 256
"""Addresses of a name that are used; more are left out."""

Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
"""What getaddrinfo gives."""

Lookup = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Raises socket.gaierror."""


async def ask_system(host: str, port: int) -> Sequence[Address]:
    """By the machine's resolver, in a thread."""
    name = host.encode("ascii")  # as bytes: text would go through the IDNA codec
    return await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)


class Addresses:
    """The addresses of one host.

    `on_answer` is told each answer, `on_failure` the words of the first of several failures and
    None when the next lookup succeeds.
    """

    __slots__ = (
        "_found", "_host", "_is_failing", "_is_frozen", "_lookup", "_pending", "_port", "_timer",
        "on_answer", "on_failure", "resolved",
    )  # fmt: skip

    def __init__(self, host: str, port: int, lookup: Lookup = ask_system) -> None:
        self._host = host
        self._port = port
        self._lookup = lookup
        self._found = _numeric(host, port)
        self.resolved: Resolved | None = None
        """The last good answer as records keep it; None for an address."""
        self._is_failing = False
        self._is_frozen = False
        self._pending: asyncio.Task[Sequence[Address]] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.on_answer: Callable[[Sequence[Address]], None] = _ignore
        self.on_failure: Callable[[str | None], None] = _ignore

    async def resolve(self) -> Sequence[Address]:
        """The last good answer, or the first one where there was none. Raises socket.gaierror.

        One lookup serves all who wait for it, and goes on when they have left: it holds a thread
        until it ends, so there is never more than one.
        """
        if self._found:
            return self._found
        return await asyncio.shield(self._pending or self._begin(asyncio.get_running_loop()))

    def freeze(self) -> None:
        """Look nothing up again: the last answer stays in use; only a first one is asked for."""
        self._is_frozen = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Nobody waits any more."""
        self.freeze()
        if self._pending is not None:
            self._pending.cancel()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> "asyncio.Task[Sequence[Address]]":
        self._pending = loop.create_task(self._look_up())
        self._pending.add_done_callback(self._looked_up)
        return self._pending

    async def _look_up(self) -> Sequence[Address]:
        found = (await self._lookup(self._host, self._port))[: 2 * MOST_ADDRESSES]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "the answer has no address")
        self._found = found
        self._keep([str(each[4][0]) for each in found][:MOST_TOLD])
        self.on_answer(found)
        return found

    def _keep(self, told: list[str]) -> None:
        last, at = self.resolved, now()
        self.resolved = Resolved(told, at) if last is None else last.follow(told, at)

    def _looked_up(self, lookup: "asyncio.Task[Sequence[Address]]") -> None:
        self._pending = None
        if lookup.cancelled():
            return
        error = lookup.exception()  # whoever still waits has it; nobody may be left
        if self._is_failing != (error is not None):
            self._is_failing = error is not None
            self.on_failure(str(error) if error is not None else None)
        if self._found and not self._is_frozen:
            loop = lookup.get_loop()
            self._timer = loop.call_later(RESOLVE_AGAIN, self._begin, loop)


def paired(found: Sequence[Address]) -> list[tuple[Address, ...]]:
    """The addresses of each machine, as far as one can know: the first of IPv6 and the first of
    IPv4 belong together, and so on. The order of the answer plays no part, but within a pair.
    """
    families = [
        sorted({each for each in found if each[0] == family}, key=lambda each: str(each[4]))
        for family in (socket.AF_INET6, socket.AF_INET)
    ]
    pairs = zip_longest(*families)
    order = {each: place for place, each in enumerate(found)}
    return [
        tuple(sorted((each for each in pair if each is not None), key=order.__getitem__))
        for pair in pairs
    ][:MOST_ADDRESSES]


def _ignore(_: object) -> None:
    """Nobody wants to know."""


def _numeric(host: str, port: int) -> Sequence[Address]:
    """The address itself, if `host` is one; empty where the DNS must be asked."""
    name = host.encode("ascii")
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return ()
