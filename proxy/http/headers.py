"""Header rules: what passes, what stops here, and what we add.

Headers are bytes from end to end, in the order, case and number in which they came:
a decoded and re-encoded header is a changed header.
Refuses to parse messages; where they end is `framing`'s, connections are the edges'.
"""

import re
from collections.abc import Collection
from functools import lru_cache

RawHeaders = Collection[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Meant for one connection only (RFC 9110 §7.6.1)."""

_OURS_TO_UPSTREAM = frozenset(
    {
        b"content-length",
        b"expect",
        b"forwarded",
        b"proxy",  # CGI would take it for the proxy that it is to use
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
    }
)
_REQUEST_STOPS = HOP_BY_HOP | _OURS_TO_UPSTREAM
_STRANGERS_STOPS = _REQUEST_STOPS | {b"x-forwarded", b"x-real-ip"}
_ANSWER_STOPS = HOP_BY_HOP | {b"content-length"}
_PRIVATE = (b"x-sidelight-",)
_OF_PROXIES = (*_PRIVATE, b"x-forwarded-")
"""Beginnings of names that nobody but a trusted proxy may use."""
_HOST = re.compile(rb"(?:(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?)?")
_AS_COMPARED = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_", b"abcdefghijklmnopqrstuvwxyz-")
"""Names in lower case, and `_` as `-`: CGI and WSGI upstreams take `X_Forwarded_For` for the real
one, so whatever is stopped is stopped in that spelling as well."""

_MOST_NAMES = 256
_LONGEST_NAME = 64
"""Names that a filter remembers: how many at once, and of what length."""

LONGEST_HOST = 261
"""The longest name that DNS knows, with a colon and a port."""
_USUAL_CONNECTION = 64


def as_compared(name: bytes) -> bytes:
    """A name as it is compared with those that stop here."""
    return name.translate(_AS_COMPARED)


def combine(raw: RawHeaders) -> dict[bytes, bytes]:
    """All fields by lower-case name; repeated ones joined by a comma (RFC 9110 §5.3)."""
    fields: dict[bytes, bytes] = {}
    for name, value in raw:
        fields[name.lower()] = value
    return fields if len(fields) == len(raw) else _combined(raw)


def _combined(raw: RawHeaders) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for name, value in raw:
        key = name.lower()
        fields[key] = fields[key] + b", " + value if key in fields else value
    return fields


def list_members(value: bytes) -> list[bytes]:
    """The members of a comma-separated field in lower case, empty ones left out."""
    return [member for part in value.lower().split(b",") if (member := part.strip(b" \t"))]


def nominated(connection: bytes | None) -> frozenset[bytes]:
    """Names that `Connection` declares to be hop-by-hop (RFC 9110 §7.6.1).

    Never `host`, without which the request would be another one.
    """
    if connection is None:
        return frozenset()
    return frozenset(list_members(connection.translate(_AS_COMPARED))) - {b"host", b"close"}


def is_host(value: bytes) -> bool:
    """Whether it is an authority without user information, or empty (RFC 9112 §3.2)."""
    return len(value) <= LONGEST_HOST and _is_authority(value)


# Hosts and nominations repeat from request to request. Only short values are remembered:
# what clients make up must not fill the memory.


@lru_cache(maxsize=1024)
def _is_authority(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def to_upstream(
    raw: RawHeaders, connection: bytes | None, own: frozenset[bytes], *, trusted: bool = False
) -> bytes:
    """The client's header lines that go on; `own` names what the caller adds itself.

    What only proxies say goes on where this one is `trusted`.
    """
    if trusted:
        return _filter(_REQUEST_STOPS, own, connection, _PRIVATE).lines(raw)
    return _filter(_STRANGERS_STOPS, own, connection, _OF_PROXIES).lines(raw)


def to_client(raw: RawHeaders, connection: bytes | None, own: frozenset[bytes]) -> bytes:
    """The upstream's header lines that go on; `own` names what the caller adds itself."""
    return _filter(_ANSWER_STOPS, own, connection, _PRIVATE).lines(raw)


@lru_cache(maxsize=64)
def joined(own: frozenset[bytes], more: frozenset[bytes]) -> frozenset[bytes]:
    """Both, as one set that is the same object each time: a filter is found by it."""
    return own | more


class _Filter:
    """Stops fields whose names are in `stops`, or begin with one of `beginnings`."""

    __slots__ = ("_beginnings", "_known", "_stops")

    def __init__(self, stops: frozenset[bytes], beginnings: tuple[bytes, ...]) -> None:
        self._stops = stops
        self._beginnings = beginnings
        self._known: dict[bytes, bytes] = {}
        """How the line of each name that came last begins, empty where it is stopped: names repeat
        from message to message."""

    def lines(self, raw: RawHeaders) -> bytes:
        known = self._known
        pieces: list[bytes] = []
        for name, value in raw:
            begin = known.get(name)
            if begin is None:
                begin = self._judge(name)
            if begin:
                pieces += (begin, value, b"\r\n")
        return b"".join(pieces)

    def _judge(self, name: bytes) -> bytes:
        key = name.translate(_AS_COMPARED)
        stops = key in self._stops or key.startswith(self._beginnings)
        begin = b"" if stops else name + b": "
        if len(name) <= _LONGEST_NAME:
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
            self._known[name] = begin
        return begin


def _filter(
    always: frozenset[bytes],
    own: frozenset[bytes],
    connection: bytes | None,
    beginnings: tuple[bytes, ...],
) -> _Filter:
    if connection is not None and len(connection) > _USUAL_CONNECTION:
        return _Filter(always | own | nominated(connection), beginnings)
    return _usual_filter(always, own, connection, beginnings)


@lru_cache(maxsize=64)
def _usual_filter(
    always: frozenset[bytes],
    own: frozenset[bytes],
    connection: bytes | None,
    beginnings: tuple[bytes, ...],
) -> _Filter:
    return _Filter(always | own | nominated(connection), beginnings)


def appended(inherited: bytes | None, member: bytes) -> bytes:
    """A list field with one more member at its end."""
    return inherited + b", " + member if inherited else member
