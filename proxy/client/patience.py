"""How long the next request of a client is waited for."""

from proxy.clock import now
from proxy.timing.loop_lag import waited


class Patience:
    """A clock of `seconds` that begins now; time in which the loop did not run does not count."""

    __slots__ = ("_seconds", "_since")

    def __init__(self, seconds: float) -> None:
        self._since = now()
        self._seconds = seconds

    def renew(self, seconds: float) -> None:
        """Begin anew."""
        self._since, self._seconds = now(), seconds

    def left(self) -> float:
        """Seconds until it has run out; 0 from then on."""
        at = now()
        took = at - self._since
        if took < self._seconds:
            return self._seconds - took
        return max(0.0, self._seconds - waited(self._since, at))
