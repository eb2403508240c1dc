"""Passive ejection: whether failures of its traffic keep an endpoint out of use.

in    failures in a row add up; an answer ends the row
out   after too many of them, for a time that doubles with each ejection that follows soon
out   when that time is over: one attempt goes there, the probe; an answer to it ends the ejection,
      a failure makes it longer

Two rows are kept: of attempts that had no answer, or a bad one, which any answer ends; and of
answers that broke off, which only a whole one ends. Otherwise a good head before each broken body
would hide it.

Says nothing of how many may be out at once: that is the business of who knows them all.
"""

from math import inf

TIMEOUTS = frozenset({"head_timeout", "connect_timeout", "first_event_timeout", "total_timeout"})
"""Outcomes that cost a client a whole clock: each counts as two failures."""

LONGEST = 300.0
"""Seconds that an ejection lasts at most, unless the rule's own time is longer."""

LONGEST_REST = 300.0
"""Seconds for which an endpoint is left alone at most, whatever it asks for."""

MOMENT = 10.0
"""Seconds for which an answer shows that an endpoint works."""

LOST_PROBE = 300.0
"""Seconds after which a probe of which nothing was heard is given up."""


class Ejection:
    """What the traffic of one endpoint has shown. Written by balancing only."""

    __slots__ = (
        "_broken", "_ended", "_failures", "_length", "_probe_until", "reason", "rest_for",
        "rest_until", "until", "worked_at",
    )  # fmt: skip

    def __init__(self) -> None:
        self.reason: str | None = None
        """What it was ejected for, in technical words; None where it is not."""
        self.until = 0.0
        """When the probe may go, while it is ejected."""
        self.rest_until = 0.0
        """It could not be reached, or asked to be left alone: till then others are better."""
        self.rest_for = ""
        """Why, in technical words."""
        self.worked_at = -inf
        """When it last answered."""
        self._failures = 0
        self._broken = 0
        self._length = 0.0
        """Of its last ejection, in seconds."""
        self._ended = -inf
        """When that ended."""
        self._probe_until = 0.0

    @property
    def is_out(self) -> bool:
        return self.reason is not None

    @property
    def probe_at(self) -> float:
        """When the next attempt is a probe; never where it is in use."""
        return inf if self.reason is None else max(self.until, self._probe_until)

    def works(self, now: float) -> bool:
        """Whether it has answered a moment ago and not failed since."""
        return not self._failures and not self._broken and now - self.worked_at <= MOMENT

    def rest(self, seconds: float, reason: str, now: float) -> None:
        """It shall be left alone for a while, if there is another."""
        until = now + min(seconds, LONGEST_REST)
        if until > self.rest_until:
            self.rest_until, self.rest_for = until, reason

    def answered(self, now: float) -> None:
        """A head came that is no failure."""
        self._failures = 0
        self.worked_at = now

    def completed(self, now: float) -> None:
        """An answer was whole."""
        self._failures = self._broken = 0
        self.worked_at = now

    def failed(self, code: str, *, had_answer: bool) -> int:
        """An attempt failed; how many have in a row."""
        count = 2 if code in TIMEOUTS else 1
        if had_answer:
            self._broken += count
        else:
            self._failures += count
        return max(self._failures, self._broken)

    def eject(self, time: float, reason: str, now: float) -> float:
        """Out of use from now on; for how many seconds.

        The time doubles where the last ejection is not longer ago than it lasted.
        """
        grown = 2 * self._length if now - self._ended <= self._length else time
        self._length = min(grown, max(time, LONGEST))
        self.reason, self.until = reason, now + self._length
        self._failures = self._broken = 0
        self._probe_until = 0.0
        return self._length

    def probe(self, now: float) -> None:
        """An attempt goes there to see; no other does till it ends, or is taken for lost."""
        self._probe_until = now + LOST_PROBE

    def probe_failed(self, reason: str, now: float) -> float:
        """Out for longer; for how many seconds."""
        self._ended = now
        return self.eject(self._length, reason, now)

    def probe_ended(self) -> None:
        """It showed nothing: the next attempt is a probe."""
        self._probe_until = 0.0

    def end(self, now: float) -> None:
        """Back in use."""
        self.reason = None
        self.until = self.rest_until = self._probe_until = 0.0
        self._failures = self._broken = 0
        self._ended = now


def may_eject(out: int, count: int, others_left: int, at_most: float) -> bool:
    """Whether one more may be ejected, where `out` of `count` are and `others_left` stay in use.

    At least one may, if any; the last one in use never.
    """
    most = max(1, int(at_most * count + 1e-9)) if at_most > 0 else 0
    return others_left >= 1 and out < most
