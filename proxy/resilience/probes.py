"""The probes of a half-open circuit that are out: at most one whole request at a time.

An upload that probes is not whole yet and keeps no other request from probing; so it asks before
its last bytes go up, and waits where another whole probe is out.
"""

from collections.abc import Callable

from proxy.resilience.permits import SETTLED, Permit

PROBE_WAIT = 1.0
"""`Retry-After` in seconds while a probe is out, whose duration is unknown."""

LOST_PROBE = 900.0
"""Seconds after which a probe that was never settled is given up.
Settling is the caller's promise; a fault there must not refuse the route for ever."""


class ProbesOut:
    """Those of one breaker, of its present era."""

    def __init__(self) -> None:
        self._out: list[Permit] = []

    def admit(self, permit: Permit, now: float) -> bool:
        """Whether this one may begin: none beside one that was sent whole, and no upload soon
        after another, because many at once would become many probes."""
        self._give_up_lost(now)
        for probe in self._out:
            if probe.is_sent or (not permit.is_sent and now < probe.at + PROBE_WAIT):
                return False
        self._out.append(permit)
        return True

    def complete(self, permit: Permit, now: float) -> bool:
        """Whether the last bytes of this upload may go up now, which make it whole.

        If not, its `wake` is called once that may have changed.
        """
        self._give_up_lost(now)
        if permit not in self._out:
            self._out.append(permit)
        if any(probe.is_sent for probe in self._out if probe is not permit):
            return False
        permit.is_sent, permit.wake = True, None
        return True

    def leave(self, permit: Permit) -> None:
        """This one is over and taught nothing: another one may probe."""
        self._out = [probe for probe in self._out if probe is not permit]
        _wake(self._out)

    def clear(self) -> None:
        """A new era: none of them is a probe any more."""
        out, self._out = self._out, []
        _wake(out)

    def _give_up_lost(self, now: float) -> None:
        for probe in self._out:
            if probe.is_sent and now >= probe.at + LOST_PROBE:
                probe.era = SETTLED
        self._out = [probe for probe in self._out if probe.era != SETTLED]


def _wake(waiting: list[Permit]) -> None:
    wakes: list[Callable[[], None]] = [one.wake for one in waiting if one.wake is not None]
    for wake in wakes:
        wake()
