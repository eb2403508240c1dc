"""When a stream is next to be looked at for what real time bounds, besides its clocks."""

from math import inf

from proxy.streams.rules import StreamRule

PROGRESS = 60.0
"""Seconds between two `stream_progress` events."""


class Dues:
    """Points on the `now` clock: of the next heartbeat, of the next `stream_progress` event, and
    of the moment at which an unfinished event is held no longer; `inf` where there is none."""

    __slots__ = ("_heartbeat", "beat", "progress", "release")

    def __init__(self, rule: StreamRule, begun: float) -> None:
        self._heartbeat = rule.heartbeat or inf
        self.beat = begun + self._heartbeat
        self.progress = begun + PROGRESS if rule.progress else inf
        self.release = inf

    def first(self) -> float:
        return min(self.beat, self.progress, self.release)

    def renew_beat(self, at: float) -> None:
        """Bytes went to the client."""
        self.beat = at + self._heartbeat

    def renew_progress(self, at: float) -> None:
        self.progress = at + PROGRESS
