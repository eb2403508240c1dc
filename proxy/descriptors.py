"""Bounds the file descriptors that connections may use, so that some are kept free for the rest.

The kernel gives the lowest number that is free, so the number of a new connection says how many
are in use. Clients may take most of them, upstreams a part more, the rest is for what must work
when nothing else does: the admin port, the store, the log, DNS.
"""

import resource
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from proxy import clock

OF_OUR_OWN: Final = 32
"""What store, log, DNS and listeners may have open, generously counted."""
QUIET: Final = 3.0
"""Seconds without a refusal after which there are enough again: who comes and goes frees a few."""
_MOST: Final = 1 << 20
"""More are never asked of the kernel."""


class DescriptorObserver(Protocol):
    """Is notified, once each time, that they run out and that there are enough again."""

    def descriptors_short(self, limit: int, kept: int) -> None: ...
    def descriptors_free(self, refused: int) -> None: ...


class Descriptors:
    """`kept` are for neither clients nor upstreams; `shed` counts those that were refused."""

    def __init__(
        self,
        kept: int,
        watcher: DescriptorObserver,
        shed: Counter[tuple[str, str]],
        limit: int | None = None,
        now: Callable[[], float] = clock.now,
    ) -> None:
        self.limit = limit or resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.kept = min(kept, self.limit // 4)
        self._of_upstreams = self.limit - self.kept
        self._of_clients = self._of_upstreams * 3 // 4
        self._watcher, self._shed, self._now = watcher, shed, now
        self._refused = 0
        """Since they ran out."""
        self._refused_at = 0.0

    def admit_client(self, fd: int) -> bool:
        """Whether the new connection of a client may be kept."""
        return self._admit(fd, self._of_clients, "traffic")

    def admit_upstream(self, fd: int) -> bool:
        """Whether the new connection to an upstream may be kept."""
        return self._admit(fd, self._of_upstreams, "upstream")

    def ran_out(self) -> None:
        """The kernel had none left for a connection that waits to be accepted."""
        self._refuse("listener")

    def _admit(self, fd: int, bound: int, whose: str) -> bool:
        if fd >= bound:
            self._refuse(whose)
            return False
        if self._refused and self._now() - self._refused_at >= QUIET:
            refused, self._refused = self._refused, 0
            self._watcher.descriptors_free(refused)
        return True

    def _refuse(self, whose: str) -> None:
        if not self._refused:
            self._watcher.descriptors_short(self.limit, self.kept)
        self._refused += 1
        self._refused_at = self._now()
        self._shed[whose, "descriptors"] += 1


def raise_limit() -> None:
    """Ask the kernel for as many as we may have: what a shell gives by default is for its users."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
