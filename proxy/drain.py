"""What is under way, and how it ends when the process does.

Refuses to know what an exchange is: it counts clients whose exchange is under way.
"""

import asyncio
from typing import Final

from proxy.client.connection import ClientConnection

_LAST_WORDS: Final = 1.0
"""Seconds in which an exchange that is cut may tell its client."""


class Drain:
    """How far the process is on its way to the end, and who is still served."""

    def __init__(self) -> None:
        self.has_begun = False
        """Connections end with the exchange they carry."""
        self.refuses = False
        """New exchanges are refused."""
        self.running: set[ClientConnection] = set()
        """Clients whose exchange is under way."""
        self.cut_by = "drain limit"
        """The clock that cuts what is still under way, in technical words."""
        self.refused_since = ""
        """Why new exchanges are refused, in technical words."""
        self._empty = asyncio.Event()

    def begin(self, cause: str, limit: float) -> None:
        """From now on, because of `cause`, a signal or who asked for it; what lasts for `limit`
        seconds is cut."""
        self.has_begun = True
        self.cut_by = f"drain limit: {limit:g} s after {cause}"
        self.refused_since = f"drain after {cause}"

    def enter(self, client: ClientConnection) -> None:
        """An exchange of this client begins."""
        self.running.add(client)

    def leave(self, client: ClientConnection) -> None:
        """It has ended."""
        self.running.discard(client)
        if not self.running:
            self._empty.set()

    async def finished(self, limit: float) -> bool:
        """Wait until no exchange is under way; False if that took longer than `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                while self.running:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            return False
        return True

    async def cut(self) -> None:
        """End what is still under way; the clients are told as far as they can be."""
        for client in self.running:
            client.interrupt()
        await self.finished(_LAST_WORDS)
