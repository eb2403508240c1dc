"""Looks at the files of every TLS context in turn, and says what became of those that changed."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from proxy.clock import iso
from proxy.tls.facts import SayEvent
from proxy.tls.watched import Change, WatchedTls

EVERY: Final = 2.0
"""Seconds between two looks."""


class TlsWatch:
    """`subjects` gives those in force now."""

    def __init__(self, subjects: Callable[[], Sequence[WatchedTls[Any]]], tell: SayEvent) -> None:
        self._subjects, self._tell = subjects, tell
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """May be called at any time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    async def look(self) -> None:
        """Look once."""
        if subjects := self._subjects():
            for tls, change in await asyncio.to_thread(_looked, subjects):
                self._say(tls, change)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except Exception as fault:  # noqa: BLE001 - a fault of ours must not be the last look
                self._tell("observer_failed", "critical", {"fault": type(fault).__name__})

    def _say(self, tls: WatchedTls[Any], change: Change) -> None:
        fields: dict[str, object] = {"certificate": tls.name}
        if tls.rejected is not None:
            self._tell("tls_files_rejected", "error", {**fields, "detail": tls.rejected})
            return
        if tls.expires is not None:
            fields["expires_at"] = iso(tls.expires)
        self._tell("tls_files_loaded", "info", {**fields, "restored": change == "restored"})


def _looked(subjects: Sequence[WatchedTls[Any]]) -> list[tuple[WatchedTls[Any], Change]]:
    looked = [(one, one.look()) for one in subjects]
    return [(one, change) for one, change in looked if change is not None]
