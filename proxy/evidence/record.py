"""The record of what was found out about an exchange that ended badly or was slow.

Lengths of time are seconds, sizes are bytes. None or empty means: not known, or not so.
"""

from proxy.client.exits import ClientExit


class Evidence:
    """Every fact has a default, because most are not known of most."""

    framing: str = ""
    """Of an answer whose body was under way at the end: `length`, `chunked` or `close`."""
    announced: int | None = None
    """The length of the body, where the answer said it."""
    received: int = 0
    """Bytes that came of that body."""
    is_whole: bool = False
    """Whether that body had ended as its framing says."""
    since_event: float | None = None
    """From the last event of a stream to its end."""
    round_trip: float | None = None
    """To the client and back, smoothed, as its kernel measured it."""
    stalled: float = 0.0
    """How long Sidelight itself stood still meanwhile."""
    client_exit: ClientExit = ""
    handshake: dict[str, str] | None = None
    """The fields of an upgrade that was asked for, as the client sent them."""
    switched: dict[str, str] | None = None
    """The same of the answer."""
    cors: str = ""
    """What was decided for the origin of the page that asked."""
