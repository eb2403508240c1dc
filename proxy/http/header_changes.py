"""Header rules as they run: which fields of a message stop here, and which are put behind them.

A rule never changes a line: fields of its names are left out, its own lines follow the others.
Everything is prepared when Sidelight starts; lines without a value of the request are bytes.
"""

from collections.abc import Callable, Iterable
from typing import Final

from proxy.exchange import Exchange
from proxy.http.headers import as_compared

VALUES: Final[dict[str, Callable[[Exchange], str]]] = {
    "client_ip": lambda x: x.client_ip,
    "request_id": lambda x: x.request_id,
    "route": lambda x: x.route or "",
}
"""What `${…}` in a value stands for."""

_OF_OUR_ANSWERS: Final = frozenset(
    {
        b"accept-ranges", b"age", b"allow", b"cache-control", b"content-disposition",
        b"content-encoding", b"content-language", b"content-location", b"content-range",
        b"content-type", b"etag", b"expires", b"last-modified", b"location", b"retry-after",
        b"set-cookie",
    }
)  # fmt: skip
"""Fields about what an upstream sends: an answer of our own has its own, or none."""


class HeaderLines:
    """Lines with their values; `pieces` are bytes, and values of the request by name."""

    def __init__(self, fields: Iterable[tuple[str, list[tuple[str, str]]]]) -> None:
        pieces: list[bytes | Callable[[Exchange], str]] = []
        for name, parts in fields:
            pieces.append(f"{name}: ".encode())
            pieces += [VALUES[text] if kind == "value" else text.encode() for kind, text in parts]
            pieces.append(b"\r\n")
        self._pieces = pieces
        self._fixed: bytes | None = None
        """All of it, where no value is the request's."""
        fixed = [piece for piece in pieces if isinstance(piece, bytes)]
        if len(fixed) == len(pieces):
            self._fixed = b"".join(fixed)

    def of(self, x: Exchange) -> bytes:
        """The lines for one exchange."""
        if self._fixed is not None:
            return self._fixed
        return b"".join(
            [
                piece if isinstance(piece, bytes) else piece(x).encode("utf-8", "replace")
                for piece in self._pieces
            ]
        )


class HeaderChange:
    """What the rules of a route do to messages of one direction."""

    def __init__(
        self,
        stops: Iterable[str],
        fields: Iterable[tuple[str, list[tuple[str, str]]]],
    ) -> None:
        fields = list(fields)
        self.stops = frozenset(as_compared(name.encode()) for name in stops)
        """Fields of the message that do not go on, as names are compared."""
        self.names = frozenset(name.lower().encode() for name, _ in fields)
        """Fields that are put in."""
        self.lines = HeaderLines(fields)
        self.own_lines = HeaderLines(
            (name, parts) for name, parts in fields if name.lower().encode() not in _OF_OUR_ANSWERS
        )
        """For answers of our own."""
