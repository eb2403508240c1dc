"""What a peer on the same host has received and not read, as its kernel says: which is ours.

A peer says that it has room only in large steps, on a loopback of 64 KiB: seen from our socket, one
that reads little by little looks like one that is stuck. Of a peer elsewhere nothing is known.
Asks `sock_diag(7)`, which Linux alone has.
"""

import asyncio
import socket
import struct
import sys
from typing import Final

_FAMILY: Final[int] = getattr(socket, "AF_NETLINK", 0) if sys.platform == "linux" else 0
"""0 where there is none."""
_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_ANY: Final = 0xFFFFFFFF
"""Every state, and a cookie that nobody has to know."""
_HEADER: Final = struct.Struct("=IHHII")
"""Length, type, flags, sequence, port (netlink(7))."""
_ASKED: Final = struct.Struct("=BBBBI")
"""Family, protocol, extensions, padding, states; the ports and addresses follow."""
_PORTS: Final = struct.Struct("!HH")
_REST: Final = struct.Struct("=III")
"""Interface and cookie, behind the addresses."""
_QUEUE_AT: Final = 16 + 4 + 48 + 4
"""Behind the header, what the socket is, its ports and addresses, and its timer."""
_QUEUE: Final = struct.Struct("=I")


def unread_by_peer(transport: asyncio.BaseTransport) -> int | None:
    """Bytes that wait in the peer's socket; None where it is elsewhere, or nobody says."""
    sock = transport.get_extra_info("socket")
    if not _FAMILY or sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        peer, own = sock.getpeername(), sock.getsockname()
        if peer[0] != own[0]:
            return None
        with socket.socket(_FAMILY, socket.SOCK_DGRAM, _SOCK_DIAG) as asking:
            asking.setblocking(False)  # the answer is there when the question is sent
            asking.send(_question(sock.family, (peer[0], own[0]), (peer[1], own[1])))
            answer = asking.recv(4096)
    except (OSError, ValueError):  # closed, or not allowed
        return None
    if len(answer) < _QUEUE_AT + _QUEUE.size or _HEADER.unpack_from(answer)[1] != _BY_FAMILY:
        return None
    return int(_QUEUE.unpack_from(answer, _QUEUE_AT)[0])


def _question(family: int, hosts: tuple[str, str], ports: tuple[int, int]) -> bytes:
    """About the peer's socket, whose other end is ours."""
    addresses = [socket.inet_pton(family, host).ljust(16, b"\0") for host in hosts]
    asked = _ASKED.pack(family, socket.IPPROTO_TCP, 0, 0, _ANY)
    asked += _PORTS.pack(*ports) + b"".join(addresses) + _REST.pack(0, _ANY, _ANY)
    return _HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST, 1, 0) + asked
