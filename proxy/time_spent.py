"""Where the time of an exchange went: each moment of it counts for exactly one part.

A wait is entered when it begins and left in `finally`, so one that is broken off counts as much
as one that ends; and as every moment has its part, the parts add up to the whole.
Time in which the loop did not run is no wait for anybody: it is OURS.
Refuses to read a clock.
"""

from typing import Final

from proxy.timing.loop_lag import waited

PARSE: Final = 0
"""From the head to the record: identity, addresses, the team's fields."""
GUARDS: Final = 1
ROUTE: Final = 2
QUEUE: Final = 3
"""Waiting for a connection slot."""
CONNECT: Final = 4
UPSTREAM: Final = 5
"""Waiting for the upstream's head and body."""
PAUSE: Final = 6
"""Pauses before retries."""
CLIENT: Final = 7
"""Waiting for the client: its upload and its reading."""
RELAY: Final = 8
"""Our own work from the commit on."""
OURS: Final = 9
"""Our own work otherwise."""

PARTS: Final = (
    "parse", "guards", "route", "queue", "connect", "upstream", "pause", "client", "relay", "ours",
)  # fmt: skip
"""Their names, in the order of their numbers."""


class TimeSpent:
    """The parts of one exchange that began at `began`; it begins in PARSE."""

    __slots__ = ("part", "seconds", "since")

    def __init__(self, began: float) -> None:
        self.seconds = [0.0] * len(PARTS)
        """By part."""
        self.part = PARSE
        """What time counts for now."""
        self.since = began

    def enter(self, part: int, at: float) -> int:
        """From `at` on time counts for `part`; gives the part that it counted for until then."""
        before, took = self.part, at - self.since
        if QUEUE <= before <= CLIENT:
            heard = waited(self.since, at)
            self.seconds[OURS] += took - heard
            took = heard
        self.seconds[before] += took
        self.part, self.since = part, at
        return before

    def recount(self, part: int) -> None:
        """What has been counted since the last `enter` was for `part`, as turns out now."""
        self.part = part

    def add(self, part: int, seconds: float) -> None:
        """Count time that was measured elsewhere, as by a log."""
        self.seconds[part] += seconds

    def by_name(self) -> dict[str, float]:
        """Seconds of every part that took any."""
        return {name: took for name, took in zip(PARTS, self.seconds, strict=True) if took}
