"""How much memory this process uses, and how much it may: read in a thread, once a second.

Refuses to judge: that is the rule's.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

EVERY_SECOND: Final = 1.0
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")
_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of the control group, version 2 and 1; in a container these are its own."""


def memory_in_use(statm: Path = _STATM) -> int | None:
    """Resident bytes of this process; None where the system does not say."""
    try:
        return int(statm.read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


def memory_limit(limits: tuple[Path, ...] = _LIMITS) -> int:
    """Bytes that this process may use: its control group's limit, or what the machine has."""
    machine = os.sysconf("SC_PHYS_PAGES") * _PAGE
    for path in limits:
        with suppress(OSError, ValueError):  # "max" is none
            return min(int(path.read_text()), machine)
    return machine


def give_back_memory() -> None:
    """Have the C library return to the system what is free (`malloc_trim`), where it can."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class MemoryWatch:
    """Tells what is in use, and gives back what is free while `is_short` says that it is short."""

    def __init__(
        self,
        tell: Callable[[float], None],
        is_short: Callable[[], bool],
        read: Callable[[], int | None] = memory_in_use,
    ) -> None:
        self._tell = tell
        self._is_short = is_short
        self._read = read
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def look(self) -> None:
        """Read once, and tell."""
        used = await asyncio.to_thread(self._measure, short=self._is_short())
        if used is not None:
            self._tell(used)

    def _measure(self, *, short: bool) -> int | None:
        if short:
            give_back_memory()
        return self._read()

    async def _watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY_SECOND)
