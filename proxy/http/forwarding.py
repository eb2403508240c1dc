"""`X-Forwarded-*` and `Forwarded` (RFC 7239) of requests to the upstream.

What a trusted proxy said is continued, in both forms alike: an upstream that reads the one must
learn the same as one that reads the other. Where they contradict each other, `X-Forwarded-*`
counts, because most proxies know nothing else. Of anybody else nothing is believed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from proxy.http.headers import appended, list_members
from proxy.http.trust import parsed_address

_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_MEMBER = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.){0,300}")+')
_PAIR = re.compile(rb'([A-Za-z0-9!#$%&\'*+.^_`|~-]+)=("(?:[^"\\]|\\.){0,300}"|[^\s;,"]*)')


@dataclass(frozen=True, slots=True)
class Hop:
    """The client of this hop: what we know ourselves."""

    peer: str
    host: bytes
    scheme: bytes


@dataclass(frozen=True, slots=True)
class ForwardedFields:
    """What a trusted proxy says of the hops before it; None where it does not."""

    addresses: bytes | None = None
    """Of `X-Forwarded-For`; so are `scheme` and `host` of its sisters."""
    scheme: bytes | None = None
    host: bytes | None = None
    forwarded: bytes | None = None

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> "ForwardedFields":
        return cls(
            fields.get(b"x-forwarded-for") or None,
            fields.get(b"x-forwarded-proto") or None,
            fields.get(b"x-forwarded-host") or None,
            fields.get(b"forwarded") or None,
        )


_NOTHING = ForwardedFields()


def addresses_told(fields: Mapping[bytes, bytes]) -> bytes | None:
    """`X-Forwarded-For`, or what `Forwarded` says in its place; for trusted proxies only."""
    addresses = fields.get(b"x-forwarded-for") or None
    if addresses is None and b"forwarded" in fields:
        return _pairs(fields[b"forwarded"]).addresses
    return addresses


def is_https(scheme: bytes, fields: Mapping[bytes, bytes] | None) -> bool:
    """Whether a client came by https: to us, or as trusted proxies tell in `fields`.

    All that they say must be https: a proxy that adds to what a client sent must not be fooled.
    """
    if fields is None or (b"x-forwarded-proto" not in fields and b"forwarded" not in fields):
        return scheme == b"https"
    if told := fields.get(b"x-forwarded-proto"):
        schemes = list_members(told)
    else:
        pairs = _PAIR.findall(fields.get(b"forwarded", b""))
        schemes = [_unquoted(value).lower() for name, value in pairs if name.lower() == b"proto"]
    return all(one == b"https" for one in schemes or [scheme])


@lru_cache(maxsize=1024)
def first_hop(peer: str, host: bytes, scheme: bytes) -> bytes:
    """The lines for the upstream where nothing is inherited: the same for all that a client asks.

    `peer` is its address, empty where it has none, as on a unix socket; `host` the authority that
    the request is for, empty where none was named.
    """
    return _lines(Hop(peer, host, scheme), _NOTHING)


def later_hop(peer: str, host: bytes, scheme: bytes, fields: Mapping[bytes, bytes]) -> bytes:
    """The lines where a trusted proxy has named earlier hops."""
    return _lines(Hop(peer, host, scheme), ForwardedFields.of(fields))


def _lines(hop: Hop, given: ForwardedFields) -> bytes:
    peer = (hop.peer.partition("%")[0] or "unknown").encode()
    said = _agreed(given)
    host = said.host if said.host is not None else hop.host
    scheme = said.scheme if said.scheme is not None else hop.scheme
    lines = b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n" % (
        appended(said.addresses, peer),
        scheme,
    )
    if host:
        lines += b"X-Forwarded-Host: %b\r\n" % host
    if said.forwarded is None:  # then what was said is said of the client of this hop
        member = _member(peer, _first(host), _first(scheme))
    else:
        member = _member(peer, hop.host, hop.scheme)
    return lines + b"Forwarded: %b\r\n" % appended(said.forwarded, member)


def _agreed(given: ForwardedFields) -> ForwardedFields:
    """What was said, completed so that both forms say it."""
    theirs = _pairs(given.forwarded) if given.forwarded else _NOTHING
    addresses = theirs.addresses if given.addresses is None else given.addresses
    scheme = theirs.scheme if given.scheme is None else given.scheme
    host = theirs.host if given.host is None else given.host
    if theirs.forwarded and theirs == ForwardedFields(addresses, scheme, host, theirs.forwarded):
        return theirs
    if addresses is None:
        return ForwardedFields(None, scheme, host)
    nodes = [node.strip() for node in addresses.split(b",")]
    first = _member(nodes[0], _first(host), _first(scheme))
    members = (first, *(_member(node) for node in nodes[1:]))
    return ForwardedFields(addresses, scheme, host, b", ".join(members))


def _first(value: bytes | None) -> bytes:
    """The first of a list: of the hop that is farthest from us."""
    return value.split(b",")[0].strip() if value else b""


def _pairs(forwarded: bytes) -> ForwardedFields:
    """What `Forwarded` says, in the words of its sisters; scheme and host are the first's."""
    nodes: list[bytes] = []
    first: dict[bytes, bytes] = {}
    for number, member in enumerate(_MEMBER.findall(forwarded)):
        pairs = {name.lower(): _unquoted(value) for name, value in _PAIR.findall(member)}
        if b"for" in pairs:
            nodes.append(_address(pairs[b"for"]))
        if number == 0:
            first = pairs
    joined = b", ".join(nodes) if nodes else None
    is_whole = forwarded.count(b'"') % 2 == 0 and b"\\" not in forwarded
    # what is added to an open quotation would be part of it
    scheme, host = first.get(b"proto") or None, first.get(b"host") or None
    return ForwardedFields(joined, scheme, host, forwarded if is_whole else None)


def _unquoted(value: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", value[1:-1]) if value.startswith(b'"') else value


def _address(node: bytes) -> bytes:
    """A node as `X-Forwarded-For` has it: an address without brackets and port, else as it is."""
    address = parsed_address(node.decode("latin-1"))
    return node if address is None else str(address).encode()


def _member(node: bytes, host: bytes = b"", scheme: bytes = b"") -> bytes:
    """One member of `Forwarded` (RFC 7239 §4): who asked, for which host, by which scheme."""
    if node.count(b":") > 1 and not node.startswith(b"["):
        node = b"[%b]" % node
    parts = [b"for=" + _value(node)]
    if host:
        parts.append(b"host=" + _quoted(host))
    if scheme:
        parts.append(b"proto=" + _value(scheme))
    return b";".join(parts)


def _value(text: bytes) -> bytes:
    return text if _TOKEN.fullmatch(text) else _quoted(text)


def _quoted(text: bytes) -> bytes:
    return b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
