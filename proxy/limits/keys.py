"""Which client a request counts for: its address, or a value that it sends.

What a client chooses is kept as a keyed hash only, and all values are hashed alike, so that nobody
can choose one whose bucket is somebody else's.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address
from typing import Final

from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.http.trust import parsed_address

_NETWORK: Final = ~((1 << 64) - 1)
"""What of an IPv6 address is its network: who has one host has all of its /64."""
_64_BITS: Final = (1 << 64) - 1
_MOST: Final = 4096
"""Addresses whose keys are remembered."""


@lru_cache(maxsize=4096)
def client_network(address: str) -> str:
    """An address as clients are told apart by it: IPv4 as it is, of IPv6 the /64."""
    parsed = parsed_address(address) if ":" in address else None
    if not isinstance(parsed, IPv6Address):
        return address if parsed is None else str(parsed)
    return f"{IPv6Address(int(parsed) & _NETWORK)}/64"


class KeySource:
    """Where the value stands that tells clients apart.

    `kind` is header, cookie, field or address; who sends no value counts by address.
    """

    def __init__(self, kind: str, name: str = "") -> None:
        self.words = name if kind == "field" else f"{kind} {name}".rstrip()
        self.field = name if kind == "field" else ""
        self.is_address = kind == "address"
        self._is_header = kind == "header"
        self._name = (name.lower() if kind == "header" else name).encode()

    def sent(self, asked: RequestHead) -> bytes | None:
        """The value that a client sent in a header or cookie; None, or nothing: it sent none."""
        if self._is_header:
            return asked.fields.get(self._name)
        return cookie_value(asked.fields, self._name)


class ClientKeys:
    """Makes keys of clients; `secret` is of one process.

    Python hashes bytes and text by SipHash under a key of the process. The secret goes before each
    value, so that the keys cannot be foretold where somebody has fixed that one (`PYTHONHASHSEED`)
    either.
    """

    def __init__(self, secret: bytes) -> None:
        self._value = secret + b"v"
        self._text = self._value.decode("latin-1")
        self._address = secret + b"a"
        """Another byte before an address: no value is the key of one."""
        self._of_addresses: dict[str, int] = {}
        self._field = ""
        self._of_field = 0
        """The field's value that was asked for last, and its key: an exchange asks for each of its
        limits."""

    def of(self, source: KeySource | None, asked: RequestHead, x: Exchange) -> int:
        """The key of a client, by its address where it sends no value; one for all where `source`
        is None."""
        if source is None:
            return 0
        if source.field:
            field = x.fields.get(source.field)
            if field:
                if field is not self._field:
                    self._field, self._of_field = field, hash(self._text + field)
                return self._of_field
        elif not source.is_address:
            sent = source.sent(asked)
            if sent:
                return hash(self._value + sent)
        known = self._of_addresses.get(x.client_ip)
        return self._learn(x.client_ip) if known is None else known

    def words(self, source: KeySource | None, asked: RequestHead, x: Exchange) -> str:
        """The client as it may be recorded: what it chose itself is the beginning of a hash."""
        if source is None:
            return "all"
        key = self.of(source, asked, x)
        if key == self._of_addresses.get(x.client_ip):
            return f"address {client_network(x.client_ip)}"
        return f"{source.words} {key & _64_BITS:016x}"[:-8]

    def _learn(self, address: str) -> int:
        if len(self._of_addresses) >= _MOST:
            self._of_addresses.clear()
        key = hash(self._address + client_network(address).encode())
        self._of_addresses[address] = key
        return key


def shared_key(source: KeySource, asked: RequestHead, x: Exchange) -> int:
    """The key of a client, from 0 to 2**64 - 1, that every process makes alike."""
    value = _value(source, asked, x)
    text = b"v" + value if value else b"a" + client_network(x.client_ip).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _value(source: KeySource, asked: RequestHead, x: Exchange) -> bytes | None:
    """What a client sent by which it is told apart; None, or nothing: it sent none."""
    if source.is_address:
        return None
    if not source.field:
        return source.sent(asked)
    return x.fields.get(source.field, "").encode("utf-8", "surrogateescape")


def cookie_value(fields: Mapping[bytes, bytes], name: bytes) -> bytes | None:
    """The value of the first cookie of this name (RFC 6265 §5.4); None where there is none.

    Several `Cookie` lines were joined by a comma.
    """
    sent = fields.get(b"cookie", b"")
    if name not in sent:
        return None
    for pair in sent.replace(b", ", b";").split(b";"):
        given, is_pair, value = pair.partition(b"=")
        if is_pair and given.strip() == name:
            return value.strip().strip(b'"')  # which may stand around any value
    return None
