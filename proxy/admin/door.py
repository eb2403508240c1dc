"""The admin port's door: every request passes the guard, every answer is in the house's form."""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.admin.api.alerts import AlertsApi
from proxy.admin.api.breakers import BreakersApi
from proxy.admin.api.errors import ErrorsApi
from proxy.admin.api.openapi import document
from proxy.admin.api.stories import StoriesApi
from proxy.admin.api.system import SystemApi
from proxy.admin.endpoint import Endpoint
from proxy.admin.guard import Ask, Guard, Refusal
from proxy.admin.page.dashboard import Dashboard
from proxy.admin.page.entry import Entry, refusal_page
from proxy.admin.page.frame import guarded
from proxy.admin.probes import Probes
from proxy.admin.replies import METHOD_NOT_ALLOWED, NOT_FOUND, TOO_LARGE, json_reply, refusal_reply
from proxy.admin.session import COOKIE
from proxy.admin.sources import AdminSources
from proxy.clock import wall

_SHUTDOWN: Final = 1.0
_MOST_BODY: Final = 16 * 1024
_NOT_PAGES: Final = ("/api/", "/drain", "/livez", "/readyz", "/health", "/metrics")


def admin_runner(sources: AdminSources, guard: Guard) -> web.AppRunner:
    """Ready for `setup()` and a site; no access log, no signal handlers of its own."""
    app = web.Application(middlewares=[_dress, _guarded(guard)], client_max_size=_MOST_BODY)
    app.add_routes([endpoint.route() for endpoint in endpoints(sources)])
    app.add_routes(Dashboard(sources).routes() + Entry(guard.sessions).routes())
    return web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN)


def endpoints(sources: AdminSources) -> list[Endpoint]:
    """The whole API, the document of itself included."""
    rooms = (Probes, StoriesApi, ErrorsApi, AlertsApi, BreakersApi, SystemApi)
    listed = [endpoint for room in rooms for endpoint in room(sources).endpoints()]

    async def describe(_: web.Request) -> web.Response:
        return json_reply(document(listed, sources.health().version))

    listed.append(Endpoint("GET", "/api/openapi.json", describe, "This document.", "Document"))
    return listed


@web.middleware
async def _dress(request: web.Request, handler: Handler) -> web.StreamResponse:
    answer: web.StreamResponse
    try:
        answer = await handler(request)
    except web.HTTPNotFound:
        answer = _refused(request, NOT_FOUND)
    except web.HTTPRequestEntityTooLarge:
        answer = refusal_reply(TOO_LARGE)
    except web.HTTPMethodNotAllowed as error:
        allow = {"Allow": ", ".join(sorted(error.allowed_methods))}
        answer = refusal_reply(METHOD_NOT_ALLOWED, allow)
    guarded(answer)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Server"] = "sidelight"
    return answer


def _guarded(guard: Guard) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = guard.refuse(_ask(request))
        return await handler(request) if refusal is None else _refused(request, refusal)

    return check


def _refused(request: web.Request, refusal: Refusal) -> web.Response:
    """In HTML for browsers that asked for a page, else in JSON."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if wants_page and request.method in ("GET", "HEAD") and not request.path.startswith(_NOT_PAGES):
        return refusal_page(request, refusal)
    challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    return refusal_reply(refusal, challenge)


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
