"""Handshakes counted by how they ended, and the failed ones said in the log, a bounded number."""

from collections import Counter
from collections.abc import Callable
from typing import Final, Literal, get_args

from proxy import clock
from proxy.tls.facts import SayEvent

PortName = Literal["traffic", "admin"]
HandshakeResult = Literal[
    "ok",
    "resumed",
    "timeout",
    "left",
    "plain_http",
    "client_certificate",
    "client_name",
    "refused_by_client",
    "protocol",
    "shed",
]
"""How a handshake ends."""

RESULTS: Final[tuple[HandshakeResult, ...]] = get_args(HandshakeResult)

MOST: Final = 20
"""Events within `WINDOW`; more are counted, and their number said with the next one."""
WINDOW: Final = 10.0
"""Seconds."""


class HandshakeLog:
    """`counts` are by port and result."""

    def __init__(
        self,
        port: PortName,
        tell: SayEvent,
        counts: Counter[tuple[str, str]],
        now: Callable[[], float] = clock.now,
    ) -> None:
        self._port, self._tell, self._counts, self._now = port, tell, counts, now
        self._ok, self._resumed = (port, "ok"), (port, "resumed")
        """Keys of `counts`; to make one anew for each handshake costs as much as to count."""
        self._window = 0.0
        """When it began."""
        self._said = 0
        """Events within it."""
        self._unsaid = 0
        """Failures that no event has told of."""

    def done(self, *, resumed: bool) -> None:
        """One came about."""
        self._counts[self._resumed if resumed else self._ok] += 1

    def failed(self, result: HandshakeResult, client_ip: str, detail: str) -> None:
        """One did not; `detail` are the library's words, or ours."""
        self._counts[self._port, result] += 1
        at = self._now()
        if at - self._window >= WINDOW:
            self._window, self._said = at, 0
        if self._said >= MOST:
            self._unsaid += 1
            return
        self._said += 1
        fields: dict[str, object] = {
            "port": self._port,
            "client_ip": client_ip,
            "cause": result,
            "detail": detail,
        }
        if self._unsaid:
            fields["unsaid"], self._unsaid = self._unsaid, 0
        self._tell("tls_handshake_failed", "warning", fields)
