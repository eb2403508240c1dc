"""The traffic port: aiohttp's low-level server, with its limits really in force.

Accepts, counts and closes connections; what happens to a request is `forward`'s.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web

from proxy.client import Client
from proxy.forward import Forward
from proxy.peers import Peers
from proxy.settings.sections import Listen

_QUIET = logging.getLogger("sidelight.aiohttp")
"""aiohttp's own words about clients' mistakes; our events say it better."""

_LAST_WORDS = 2.0
"""Seconds that clients get at the very end to take what is queued for them."""


class TrafficServer(web.Server):
    """Makes one `Client` for each connection."""

    def __init__(
        self, forward: Forward, rule: Listen, peers: Peers, has_room: Callable[[int], bool]
    ) -> None:
        super().__init__(forward)  # type: ignore[arg-type]
        self._forward = forward
        self._rule = rule
        self._peers = peers
        self._has_room = has_room
        self._open = 0
        """Connections whose sockets are open, those included that nobody serves any more."""
        self._emptied = asyncio.Event()

    def __call__(self) -> Client:
        rule = self._rule
        return Client(
            self,
            loop=self._loop,
            limits=rule,
            peers=self._peers,
            serve=self._forward,
            refuse=self._forward.refuse,
            access_log=None,
            logger=_QUIET,
            auto_decompress=False,
            keepalive_timeout=rule.keep_alive,
            max_line_size=rule.uri_bytes,
            # told apart from the line's limit by its value: see client._refusal
            max_field_size=rule.header_bytes + (rule.header_bytes == rule.uri_bytes),
            max_headers=rule.header_count,
            read_bufsize=64 * 1024,
            timeout_ceil_threshold=1e9,
        )

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._open += 1
        if not self._has_room(transport.get_extra_info("socket").fileno()):
            transport.abort()  # an answer would take the descriptor that others need
        handler.shed = len(self._connections) > self._rule.max_connections

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._open -= 1
        if not self._open:
            self._emptied.set()

    async def close(self) -> None:
        """Close every connection once what is queued for it is written, or it takes too long."""
        self._emptied.clear()
        for client in self.connections:
            client.force_close()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                while self._open:
                    await self._emptied.wait()
        except TimeoutError:
            pass
        await self.shutdown(0.1)

    def close_idle(self) -> None:
        """Close every connection that carries no exchange."""
        for client in self.connections:
            if isinstance(client, Client) and not client.is_exchanging:
                client.close()


class Listener:
    """The socket of the traffic port and its server."""

    def __init__(
        self, forward: Forward, rule: Listen, peers: Peers, has_room: Callable[[int], bool]
    ) -> None:
        self._rule = rule
        self._forward = forward
        self._peers = peers
        self._has_room = has_room
        """Whether a client's new connection with this descriptor may be kept."""
        self._server: TrafficServer | None = None
        self._sockets: asyncio.Server | None = None
        self.port = rule.port

    async def start(self) -> None:
        """Bind and accept. Raises OSError where the address is taken or not ours."""
        self._server = TrafficServer(self._forward, self._rule, self._peers, self._has_room)
        loop = asyncio.get_running_loop()
        self._sockets = await loop.create_server(
            self._server,
            self._rule.host,
            self._rule.port,
            backlog=self._rule.backlog,
            reuse_address=True,
        )
        self.port = self._sockets.sockets[0].getsockname()[1]

    def stop_accepting(self) -> None:
        """Refuse new connections and close the idle ones; running exchanges go on."""
        if self._sockets is not None and self._server is not None:
            self._sockets.close()
            self._server.close_idle()

    async def stop(self) -> None:
        """Close what is left."""
        self.stop_accepting()
        if self._server is not None:
            await self._server.close()
