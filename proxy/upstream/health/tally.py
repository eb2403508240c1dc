"""What a row of checks says of an endpoint. Pure: reads no clock and asks nobody.

unknown --one good--> up        unknown --down_after failed--> down
up --down_after failed--> down  down --up_after good--> up
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check showed; `ok` is None where it showed nothing of the endpoint."""

    ok: bool | None
    reason: str
    """In technical words: the status, or what went wrong."""


def observed(result: CheckResult, stalled: float, timeout: float) -> CheckResult:
    """`result`, or that nothing was shown: where the loop stood still for as long as the check may
    take, a failure may be one of ours, because nobody was there to take the answer.
    """
    if result.ok is False and stalled >= timeout:
        return CheckResult(None, f"the loop stood still for {stalled:.1f} s: {result.reason}")
    return result


class Tally:
    """Of one endpoint."""

    __slots__ = ("_down_after", "_up_after", "failed", "good", "healthy", "reason")

    def __init__(self, up_after: int, down_after: int) -> None:
        self._up_after = up_after
        self._down_after = down_after
        self.healthy: bool | None = None
        """None while nothing is known."""
        self.good = 0
        """Good checks in a row, as is `failed` of those that failed."""
        self.failed = 0
        self.reason: str | None = None
        """What the last check that showed anything showed; None before there was one."""

    def add(self, result: CheckResult) -> bool:
        """Whether the endpoint is another now: it was down and is up, or the like."""
        if result.ok is None:
            return False
        before, self.reason = self.healthy, result.reason
        if result.ok:
            self.good, self.failed = self.good + 1, 0
            if self.healthy is None or self.good >= self._up_after:
                self.healthy = True
        else:
            self.good, self.failed = 0, self.failed + 1
            if self.failed >= self._down_after:
                self.healthy = False
        return self.healthy is not before

    @property
    def words(self) -> str:
        """Why it is what it is now."""
        n = self.good or self.failed
        return f"{n} check{'s' if n != 1 else ''} in a row: {self.reason}"
