"""Making a connection: DNS, TCP over whichever address answers first, TLS.

Everything that can go wrong before a byte of the request is sent becomes a `Failed` here.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM
from math import inf
from typing import Any

from aiohappyeyeballs import start_connection

from proxy.clock import now
from proxy.outcome import (
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    DNS_FAILURE,
    POOL_TIMEOUT,
    TLS_FAILURE,
    Outcome,
)
from proxy.timing.loop_lag import waited
from proxy.timing.silence import SilenceTimeout
from proxy.tls.watched import WatchedTls
from proxy.upstream.connection import Connection, ConnectionOwner
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.protocol import EndpointProtocol
from proxy.upstream.result import Failed
from proxy.upstream.rules import UpstreamRule

NEXT_ADDRESS = 0.25
"""Seconds until the next address is tried beside the last: RFC 8305, section 5."""

_CAUSES: tuple[tuple[type[OSError], Outcome], ...] = (
    (socket.gaierror, DNS_FAILURE),
    (ssl.SSLError, TLS_FAILURE),
    (TimeoutError, CONNECT_TIMEOUT),
    (OSError, CONNECT_REFUSED),
)
"""The first that fits."""


_OURS = frozenset({EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL})
"""We have no more file descriptors, memory or ports: nobody else is to blame."""


def _cause(error: OSError) -> Outcome:
    if error.errno in _OURS and not isinstance(error, socket.gaierror):
        return POOL_TIMEOUT
    return next(outcome for kind, outcome in _CAUSES if isinstance(error, kind))


def always(_: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Dialer:
    """Connects for one upstream."""

    rule: UpstreamRule
    tls: WatchedTls[Any] | None
    """None where no endpoint is https."""
    has_room: Callable[[int], bool] = always
    """Whether a new connection with this descriptor leaves enough of them to others."""

    async def dial(
        self, endpoint: Endpoint, owner: ConnectionOwner, timeout: float, limit: float = inf
    ) -> Connection | Failed:
        """A connection to `endpoint`; `timeout` covers DNS, TCP and TLS together.

        `limit` is real time, for the whole exchange.
        """
        began = now()
        try:
            async with SilenceTimeout(timeout, limit):
                connection = await self._open(endpoint, owner)
        except OSError as error:
            words = str(error) or f"no connection in {min(timeout, limit):g} s"
            return Failed(_cause(error), words, endpoint.url)
        connection.connect_seconds = waited(began, now())
        return connection

    async def _open(self, endpoint: Endpoint, owner: ConnectionOwner) -> Connection:
        if endpoint.socket_path is not None:
            sock = await _connect_unix(endpoint.socket_path)
        else:
            addresses = await endpoint.reach()
            sock = await start_connection(
                addresses, happy_eyeballs_delay=NEXT_ADDRESS, interleave=1
            )
        if not self.has_room(sock.fileno()):
            sock.close()
            raise OSError(EMFILE, os.strerror(EMFILE))
        name = (self.rule.tls.server_name or endpoint.host) if endpoint.is_tls else None
        _, protocol = await asyncio.get_running_loop().create_connection(
            lambda: EndpointProtocol(endpoint.url, self.rule, sock),
            sock=sock,
            ssl=self.tls.context if self.tls is not None and endpoint.is_tls else None,
            server_hostname=name,
        )
        connection = Connection(protocol, owner)
        connection.target = endpoint
        return connection


async def _connect_unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, path)
    except BaseException:
        sock.close()
        raise
    return sock
