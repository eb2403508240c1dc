"""What is compared of an exchange: a row of its values, made from the record once it has ended.

It is small, because the rows of the last minute are kept for every exchange; what is told of an
exchange is told of its record. Everything here was redacted when it was recorded.
"""

from typing import Final
from zlib import crc32

from proxy.exchange import Exchange
from proxy.outcome import (
    CLIENT_CLOSED_REQUEST,
    CLIENT_CLOSED_STREAM,
    COMPLETED,
    UPSTREAM_ERROR,
    UPSTREAM_RESET,
    UPSTREAM_WRITE_FAILED,
)

FIELDS: Final = (
    "path",
    "endpoint",
    "connection",
    "client",
    "agent",
    "method",
    "host",
    "size",
    "stream",
    "settings",
)
"""What is compared of every exchange; the team's own fields follow."""

MOST_FIELDS: Final = 16
"""The team's own fields that are compared: the first of them."""

LONGEST: Final = 96
"""Characters of a value that are kept; a longer one keeps its beginning and a checksum."""

MOST_VALUES: Final = 8192
"""Values that are kept once for all rows that have them."""

_SIZES: Final[tuple[tuple[int, str], ...]] = (
    (0, "no body"),
    (1024, "up to 1 KiB"),
    (16 * 1024, "up to 16 KiB"),
    (256 * 1024, "up to 256 KiB"),
    (4 * 1024 * 1024, "up to 4 MiB"),
)
"""Typed as of any length: compiled, a tuple of known length is made anew each time it is read."""
_LARGEST: Final = "more than 4 MiB"

LEFT: Final = (CLIENT_CLOSED_REQUEST.code, CLIENT_CLOSED_STREAM.code)
"""Kinds by which a client leaves."""


class ComparedRow:
    """Times are of the clock that never jumps; `values` are in the order of the fields."""

    def __init__(
        self,
        x: Exchange,
        values: tuple[str | None, ...],
        kind: str,
        tries: tuple[tuple[str, str], ...],
        *,
        is_cut: bool,
    ) -> None:
        self.ended = x.ended
        self.lasted = x.ended - x.started
        """Seconds."""
        self.pace = pace_of(x)
        self.idle = idle_of(x)
        self.streamed = x.streamed
        self.request_id = x.request_id
        self.route = x.route
        self.upstream = x.upstream
        self.values = values
        self.kind = kind
        """How it ended; empty where it was completed."""
        self.tries = tries
        """Endpoint and result of every attempt, where one failed or there were several."""
        self.is_cut = is_cut
        """Whether a value was too long to be kept whole."""


class RowMaker:
    """Makes rows, and keeps values that many of them have once. `own` names the team's fields."""

    def __init__(self, own: tuple[str, ...] = ()) -> None:
        self.own = own[:MOST_FIELDS]
        self.fields = FIELDS + self.own
        self._known: dict[str, str] = {}
        self._is_cut = False

    def row(self, x: Exchange) -> ComparedRow:
        """Of an exchange that has ended."""
        self._is_cut = False
        endpoint: str | None = None
        connection: str | None = None
        stream: str | None = None
        if x.attempts:
            last = x.attempts[-1]
            endpoint = last.endpoint or None
            connection = "reused" if last.reused else "new"
            if last.status is not None:
                stream = "stream" if x.streamed else "plain"
        values: tuple[str | None, ...] = (
            self._kept(x.target.partition("?")[0] if "?" in x.target else x.target),
            endpoint,
            connection,
            self._kept(x.client_ip),
            self._kept(x.user_agent),
            self._kept(x.method),
            self._kept(x.host),
            size_class(x.bytes_in),
            stream,
            x.config_hash or None,
        )
        for name in self.own:
            values += (self._kept(x.fields.get(name) or ""),)
        return ComparedRow(x, values, kind_of_end(x), tries_of(x), is_cut=self._is_cut)

    def _kept(self, value: str) -> str | None:
        if not value:
            return None
        known = self._known.get(value)
        if known is not None:
            return known
        if len(value) > LONGEST:
            self._is_cut = True
            return f"{value[: LONGEST - 9]}…{crc32(value.encode('utf-8', 'replace')):08x}"
        if len(self._known) >= MOST_VALUES:
            self._known.clear()
        self._known[value] = value
        return value


def kind_of_end(x: Exchange) -> str:
    """How it ended, as it is compared: the code, with the status of an upstream's own error.

    Whether an endpoint that ends the connection does so while it is still sent to is chance.
    """
    outcome = x.outcome
    if outcome is COMPLETED:
        return ""
    if outcome is UPSTREAM_ERROR:
        return f"{outcome.code} {x.upstream_status}"
    if outcome is UPSTREAM_WRITE_FAILED:
        return UPSTREAM_RESET.code
    return outcome.code if outcome is not None else "internal_error"


def pace_of(x: Exchange) -> float:
    """What makes an exchange slow: the first event of a stream, else the whole, in seconds."""
    if x.streamed:
        return x.first_event if x.first_event is not None else 0.0
    return x.ended - x.started


def idle_of(x: Exchange) -> float | None:
    """How long the connection of the last attempt had lain in the pool; None for a new one."""
    return x.attempts[-1].idle if x.attempts else None


def size_class(size: int) -> str:
    """The class of a body of that size."""
    for most, words in _SIZES:
        if size <= most:
            return words
    return _LARGEST


def tries_of(x: Exchange) -> tuple[tuple[str, str], ...]:
    """Endpoint and result of every attempt; nothing of a single one that was good."""
    attempts = x.attempts
    if len(attempts) < 2 and (not attempts or attempts[0].result == "ok"):
        return ()
    return tuple([(tried.endpoint, str(tried.result)) for tried in attempts])
