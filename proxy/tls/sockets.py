"""Sockets bound to an address, for ports."""

import asyncio
import socket


async def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """A socket bound to each address that `host` has; `::` takes IPv4 as well.

    Raises OSError where an address is taken or not ours; then none stays bound.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sock = socket.socket(family, kind, protocol)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
            sock.setblocking(False)
            sock.bind(address)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from None
    return sockets
