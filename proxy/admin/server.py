"""The application of the admin port: every request passes the guard, every error has one format."""

import asyncio
from collections import Counter
from typing import Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from proxy.admin.api.alerts import AlertsApi
from proxy.admin.api.breakers import BreakersApi
from proxy.admin.api.errors import ErrorsApi
from proxy.admin.api.openapi import openapi_document
from proxy.admin.api.stories import StoriesApi
from proxy.admin.api.system import SystemApi
from proxy.admin.endpoint import Operation
from proxy.admin.guard import Ask, Guard
from proxy.admin.identity import IDENTITY, identity_reader
from proxy.admin.pages.dashboard import Dashboard
from proxy.admin.pages.entry import Entry
from proxy.admin.port import IDLE, AdminServer
from proxy.admin.probes import Probes
from proxy.admin.replies import BAD_REQUEST, BODY_LATE, json_reply, refusal_reply
from proxy.admin.security_headers import dressed, refused
from proxy.admin.session import COOKIE
from proxy.admin.sources import AdminSources
from proxy.clock import wall
from proxy.tls.parts import PortParts
from proxy.tls.port import TlsPort
from proxy.tls.sockets import bound_sockets

_SHUTDOWN: Final = 1.0
_MOST_BODY: Final = 16 * 1024
_BODY: Final = 10.0
"""Seconds in which the body of a request must arrive."""
_BACKLOG: Final = 64


class AdminRunner:
    """The application on a server of ours."""

    def __init__(
        self,
        app: web.Application,
        most: int,
        shed: Counter[tuple[str, str]],
        tls: PortParts | None = None,
    ) -> None:
        self.app = app
        self._tls = tls
        self._tls_port: TlsPort | None = None
        self._most, self._shed = most, shed
        self._application = web.AppRunner(app)
        self._port: web.ServerRunner | None = None

    async def setup(self) -> web.ServerRunner:
        """Start the application; what hosts its sites."""
        await self._application.setup()
        made = self._application.server
        if made is None:
            raise RuntimeError("the application was not set up")
        server = AdminServer(
            dressed(made.request_handler),
            most=self._most,
            shed=self._shed,
            request_factory=made.request_factory,
            access_log=None,
            auto_decompress=False,  # small bodies need no packing, and a bomb stays small
            keepalive_timeout=2 * IDLE,  # ours is the shorter
        )
        self._port = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN)
        await self._port.setup()
        return self._port

    async def listen(self, host: str, port: int) -> int:
        """Bind and accept; the port. Raises OSError where the address is taken or not ours."""
        runner = await self.setup()
        if self._tls is not None:
            return await self._listen_by_tls(
                self._tls, cast("AdminServer", runner.server), host, port
            )
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        return int(runner.addresses[0][1])

    async def _listen_by_tls(
        self, tls: PortParts, server: AdminServer, host: str, port: int
    ) -> int:
        sockets = await bound_sockets(host, port)
        self._tls_port = TlsPort(server, tls, self._most)
        await self._tls_port.start(sockets, _BACKLOG)
        return int(sockets[0].getsockname()[1])

    async def cleanup(self) -> None:
        """Close the port, then what the application has; may be called at any time."""
        if self._tls_port is not None:
            self._tls_port.stop()
        if self._port is not None:
            await self._port.cleanup()
        await self._application.cleanup()


def admin_runner(
    sources: AdminSources,
    guard: Guard,
    most: int = 64,
    shed: Counter[tuple[str, str]] | None = None,
    tls: PortParts | None = None,
) -> AdminRunner:
    """Ready for `listen`: at most `most` connections; `shed` counts those that gave way.

    Without `tls` it speaks plain HTTP.
    """
    app = web.Application(middlewares=[_guarded(guard), _read], client_max_size=_MOST_BODY)
    app[IDENTITY] = identity_reader(sources)
    app.add_routes([endpoint.route() for endpoint in endpoints(sources)])
    app.add_routes(Dashboard(sources).routes() + Entry(guard).routes())
    return AdminRunner(app, most, Counter() if shed is None else shed, tls)


def endpoints(sources: AdminSources) -> list[Operation]:
    """The whole API, the document of itself included."""
    apis = (Probes, StoriesApi, ErrorsApi, AlertsApi, BreakersApi, SystemApi)
    listed = [endpoint for api in apis for endpoint in api(sources).endpoints()]

    async def describe(_: web.Request) -> web.Response:
        return json_reply(openapi_document(listed, sources.health().version))

    listed.append(Operation("GET", "/api/openapi.json", describe, "This document.", "Document"))
    return listed


@web.middleware
async def _read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body first, within its time; whoever asks for it then has it."""
    if request.method != "POST":
        return await handler(request)
    try:
        async with asyncio.timeout(_BODY):
            await request.read()
    except (TimeoutError, web.RequestPayloadError, HttpProcessingError) as error:
        late = isinstance(error, TimeoutError)
        answer = refusal_reply(BODY_LATE if late else BAD_REQUEST)
        answer.force_close()  # the rest of it would be taken for a request
        return answer
    return await handler(request)


def _guarded(guard: Guard) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = guard.refuse(_ask(request))
        return await handler(request) if refusal is None else refused(request, refusal)

    return check


def _ask(request: web.Request) -> Ask:
    headers = request.headers
    return Ask(
        path=request.path,
        host=headers.get("Host", ""),
        peer=request.remote or "",
        authorization=headers.get("Authorization", ""),
        cookie=request.cookies.get(COOKIE, ""),
        method=request.method,
        content_type=request.content_type if "Content-Type" in headers else "",
        wall=wall(),
    )
