"""Finds out at the end of an exchange that was bad or slow what helps to explain it."""

import socket
import struct
from collections.abc import Mapping
from typing import Final

from proxy.client.connection import ClientConnection
from proxy.evidence.record import Evidence
from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.outcome import COMPLETED
from proxy.streams.relay import EventStream
from proxy.timing.loop_lag import stalled
from proxy.upstream.connection import Connection

SLOW: Final = 1.0
"""Seconds from which an exchange that ended well is looked at too."""
_LONGEST: Final = 200
"""Characters of a field that are kept."""
_UPGRADE: Final = (
    b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-protocol",
    b"sec-websocket-extensions",
)  # fmt: skip
"""Fields of an upgrade; the key is none of them, for it is drawn anew each time."""
_GRANT: Final = b"Access-Control-Allow-Origin"
_PROTOCOL: Final = "sec-websocket-protocol"
_LONGEST_PROTOCOL: Final = 24
_RTT_AT: Final = 68
"""Where `tcpi_rtt`, in microseconds, stands in `struct tcp_info` (linux/tcp.h)."""


def evidence_of(x: Exchange) -> Evidence:
    """That of this exchange, made where there is none yet."""
    if x.evidence is None:
        x.evidence = Evidence()
    return x.evidence


def gather_body(x: Exchange, connection: Connection) -> None:
    """How far the body of an answer came that did not end."""
    reader = connection.protocol.reader
    found, framing = evidence_of(x), reader.framing
    found.framing, found.announced, found.is_whole = framing.kind, framing.length, reader.is_done
    found.received = x.bytes_out + x.held + reader.buffered


def gather_switch(x: Exchange, fields: Mapping[bytes, bytes]) -> None:
    """What an answer to a request for an upgrade said of it."""
    evidence_of(x).switched = _upgrade(fields)


def gather(
    x: Exchange,
    asked: RequestHead,
    client: ClientConnection,
    stream: EventStream | None,
    connection: Connection | None,
    grants: bytes,
) -> None:
    """The rest, at its end; `connection` is one that it still holds.

    `grants` are the header lines by which its page may read the answer.
    """
    if x.outcome is COMPLETED and x.ended - x.started < SLOW:
        if grants and _GRANT not in grants and b"origin" in asked.fields:
            _gather_origin(x, asked.fields[b"origin"], grants)
        return
    found = evidence_of(x)
    found.stalled = stalled(x.started, x.ended)
    found.client_exit = client.exit
    if stream is not None:
        found.since_event = stream.clocks.since_event(x.ended)
    if connection is not None and x.committed is not None:
        gather_body(x, connection)
    if x.attempts:
        found.round_trip = _round_trip(client)
    if b"upgrade" in asked.fields:
        found.handshake = _upgrade(asked.fields)
    if origin := asked.fields.get(b"origin"):
        _gather_origin(x, origin, grants)


def _gather_origin(x: Exchange, origin: bytes, grants: bytes) -> None:
    """Whether a page of `origin` may read the answer."""
    verdict = "may read the answer" if _GRANT in grants else "may not read the answer"
    evidence_of(x).cors = f"{_text(origin)} {verdict}"


def _upgrade(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    told = {name.decode(): _text(fields[name]) for name in _UPGRADE if name in fields}
    if _PROTOCOL in told:
        told[_PROTOCOL] = ", ".join(map(_protocol, told[_PROTOCOL].split(",")))
    return told


def _protocol(member: str) -> str:
    """A name of a subprotocol; what is longer than names are may be a credential."""
    name = member.strip()
    return name if len(name) <= _LONGEST_PROTOCOL else "[redacted]"


def _text(value: bytes) -> str:
    return value[:_LONGEST].decode("latin-1")


def _round_trip(client: ClientConnection) -> float | None:
    """None where it is not TCP, or the client has gone."""
    if client.transport is None:
        return None
    sock = client.transport.get_extra_info("socket")
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RTT_AT + 4)
    except (AttributeError, OSError):  # no socket any more, or one of another kind
        return None
    measured: int = struct.unpack_from("=I", info, _RTT_AT)[0]
    return measured / 1e6
