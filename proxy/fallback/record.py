"""The record of a fallback: what was tried in the upstream's place, and what the client got."""

from proxy.attempt_record import Attempt
from proxy.outcome import COMPLETED, Outcome

STATIC = "static"
"""What a fixed answer is called in header, record and story."""


class FallbackRecord:
    """Made where an exchange falls back; with its own attempt, which is none of the exchange's."""

    given: str = ""
    """`static`, or the name of the upstream that answered; empty where nothing was to be had."""
    outcome: Outcome | None = None
    """How the answer that was given ended; None where it ended well."""
    upstream: str = ""
    """The upstream that was asked; empty where none was."""
    attempt: Attempt | None = None
    """The attempt at it; None where it did not come to one."""

    def end(self, outcome: Outcome) -> None:
        """How the answer that is given ends; the last word stands."""
        self.outcome = None if outcome is COMPLETED else outcome
