"""When a stream is next to be looked at for what real time bounds, besides its clocks."""

from math import inf

from proxy.streams.rules import StreamRule

PROGRESS = 60.0
"""Seconds between two `stream_progress` events."""


class Dues:
    """Points on the `now` clock: of the next `stream_progress` event, of the moment at which an
    unfinished event is held no longer, and of the next heartbeat, which is reckoned from the last
    bytes; `inf` where there is none."""

    __slots__ = ("_beaten", "_heartbeat", "progress", "release")

    def __init__(self, rule: StreamRule, begun: float) -> None:
        self._heartbeat = rule.heartbeat or inf
        self._beaten = begun
        self.progress = begun + PROGRESS if rule.progress else inf
        self.release = inf

    def first(self, arrived: float) -> float:
        """The first of them, where bytes came last at `arrived`."""
        return min(self.beat(arrived), self.progress, self.release)

    def beat(self, arrived: float) -> float:
        """When the next heartbeat is due, where bytes came last at `arrived`."""
        return max(self._beaten, arrived) + self._heartbeat

    def renew_beat(self, at: float) -> None:
        """One went to the client, or could have."""
        self._beaten = at

    def renew_progress(self, at: float) -> None:
        self.progress = at + PROGRESS
