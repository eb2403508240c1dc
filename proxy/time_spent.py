"""Where the time of an exchange went: each moment of it counts for exactly one part.

A wait is entered when it begins and left in `finally`, so one that is broken off counts as much
as one that ends; and as every moment has its part, the parts add up to the whole.
Time in which the loop did not run is no wait for anybody: it is OURS.
Refuses to read a clock.
"""

from typing import Final

from proxy.timing.loop_lag import LEAST, waited

PARSE: Final = 0
"""From the head to the route: identity, addresses, the team's fields, and the guards that look at
any request alike."""
GUARDS: Final = 1
"""The guards and limits of the route, up to the first attempt."""
ROUTE: Final = 2
QUEUE: Final = 3
"""Waiting for a turn: for a place, for a connection slot, for the probe that is out."""
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
    """The parts of one exchange that began at `began`, in seconds; it begins in PARSE.

    Attributes of their own, in which a compiled float takes no object.
    """

    __slots__ = (
        "client", "connect", "guards", "ours", "parse", "part", "pause", "queue", "relay", "route",
        "since", "upstream",
    )  # fmt: skip

    def __init__(self, began: float) -> None:
        self.parse = self.guards = self.route = self.queue = self.connect = 0.0
        self.upstream = self.pause = self.client = self.relay = self.ours = 0.0
        self.part = PARSE
        """What time counts for now."""
        self.since = began

    def enter(self, part: int, at: float) -> int:
        """From `at` on time counts for `part`; gives the part that it counted for until then."""
        before, took = self.part, at - self.since
        if took > LEAST and QUEUE <= before <= CLIENT:
            heard = waited(self.since, at)
            self.ours += took - heard
            took = heard
        if before == UPSTREAM:
            self.upstream += took
        elif before == OURS:
            self.ours += took
        elif before == GUARDS:
            self.guards += took
        elif before == RELAY:
            self.relay += took
        elif before == ROUTE:
            self.route += took
        elif before == PARSE:
            self.parse += took
        else:
            self._wait(before, took)
        self.part, self.since = part, at
        return before

    def recount(self, part: int) -> None:
        """What has been counted since the last `enter` was for `part`, as turns out now."""
        self.part = part

    def _wait(self, part: int, took: float) -> None:
        """Count one of the waits that not every exchange has."""
        if part == CLIENT:
            self.client += took
        elif part == CONNECT:
            self.connect += took
        elif part == QUEUE:
            self.queue += took
        else:
            self.pause += took

    @property
    def upstream_wait(self) -> float:
        """Waited for the upstream: connect, head and body."""
        return self.connect + self.upstream

    def by_name(self) -> dict[str, float]:
        """Seconds of every part that took any."""
        return {name: took for name in PARTS if (took := float(getattr(self, name)))}
