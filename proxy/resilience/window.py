"""Counts the attempts of the last seconds in a fixed number of slots.

Memory and cost do not grow with traffic.
The price is a coarse edge: the oldest tenth of the window leaves at once.
"""

SLOTS = 10


class Window:
    """How many attempts there were within `length` seconds, and how many of them failed."""

    __slots__ = ("_attempts", "_failures", "_slot", "_slots_a_second")

    def __init__(self, length: float) -> None:
        self._slots_a_second = SLOTS / length
        self.clear()

    def clear(self) -> None:
        self._attempts = [0] * SLOTS
        self._failures = [0] * SLOTS
        self._slot = 0
        """The newest slot, counted from the beginning of the clock."""

    def add(self, now: float, *, failed: bool) -> None:
        """Count one attempt; it falls into the newest slot where `now` lies before that."""
        slot = int(now * self._slots_a_second)
        if slot > self._slot:
            self._turn(slot)
        place = self._slot % SLOTS
        self._attempts[place] += 1
        if failed:
            self._failures[place] += 1

    def counts(self, now: float = 0.0) -> tuple[int, int]:
        """Attempts and failures within the window that ends `now`, or with the newest attempt."""
        oldest = int(now * self._slots_a_second) - SLOTS + 1
        kept = [s % SLOTS for s in range(max(oldest, self._slot - SLOTS + 1), self._slot + 1)]
        return sum(self._attempts[i] for i in kept), sum(self._failures[i] for i in kept)

    def _turn(self, slot: int) -> None:
        """Make `slot` the newest; what it replaces is forgotten."""
        for passed in range(max(self._slot, slot - SLOTS) + 1, slot + 1):
            self._attempts[passed % SLOTS] = self._failures[passed % SLOTS] = 0
        self._slot = slot
