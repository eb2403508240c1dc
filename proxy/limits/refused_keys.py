"""Which clients a limit refuses most, and which it refuses now, in bounded memory (Space-Saving).

Where there is no room for a new client, it takes the place of the one that was refused least, and
its count: so who is refused often is never lost, and a count is too high by `over` at most.
"""

from typing import Final

ROOM: Final = 100
"""Clients that are kept of each limit."""
TOP: Final = 10
"""Clients that are shown."""


class RefusedKey:
    """One client, by words that may be shown; `until` is when it would be let in again."""

    __slots__ = ("client", "count", "over", "until")

    def __init__(self, client: str, count: int, over: int, until: float) -> None:
        self.client = client
        self.count = count
        self.over = over
        self.until = until


class RefusedKeys:
    """Those of one limit."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: dict[str, RefusedKey] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def count(self, client: str, until: float) -> None:
        """This client was refused, and would be let in at `until`."""
        kept = self._kept.get(client)
        if kept is None:
            over = self._make_room()
            kept = self._kept[client] = RefusedKey(client, over, over, until)
        kept.count += 1
        kept.until = until

    def most(self, number: int = TOP) -> list[RefusedKey]:
        """Those refused most, most first."""
        return sorted(self._kept.values(), key=_often, reverse=True)[:number]

    def now(self, at: float, number: int = TOP) -> list[RefusedKey]:
        """Those who would be refused at `at`, the longest wait first."""
        limited = [one for one in self._kept.values() if one.until > at]
        return sorted(limited, key=_long, reverse=True)[:number]

    def _make_room(self) -> int:
        """Forget the one refused least where there is no room; how often it was."""
        if len(self._kept) < self._room:
            return 0
        least = min(self._kept.values(), key=_often)
        del self._kept[least.client]
        return least.count


def _often(one: RefusedKey) -> int:
    return one.count


def _long(one: RefusedKey) -> float:
    return one.until
