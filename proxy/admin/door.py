"""The admin port's door: every request passes the guard, every answer is in the house's form."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.admin.guard import Ask, Guard
from proxy.admin.pages import Pages
from proxy.admin.replies import METHOD_NOT_ALLOWED, NOT_FOUND, refusal_reply
from proxy.admin.sources import AdminSources

_SHUTDOWN = 1.0


def admin_runner(sources: AdminSources, guard: Guard) -> web.AppRunner:
    """Ready for `setup()` and a site; no access log, no signal handlers of its own."""
    app = web.Application(middlewares=[_dress, _guarded(guard)])
    app.add_routes(Pages(sources).routes())
    return web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN)


@web.middleware
async def _dress(request: web.Request, handler: Handler) -> web.StreamResponse:
    answer: web.StreamResponse
    try:
        answer = await handler(request)
    except web.HTTPNotFound:
        answer = refusal_reply(NOT_FOUND)
    except web.HTTPMethodNotAllowed as error:
        answer = refusal_reply(
            METHOD_NOT_ALLOWED, {"Allow": ", ".join(sorted(error.allowed_methods))}
        )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Server"] = "sidelight"
    return answer


def _guarded(guard: Guard) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = guard.refuse(_ask(request))
        if refusal is None:
            return await handler(request)
        challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
        return refusal_reply(refusal, challenge)

    return check


def _ask(request: web.Request) -> Ask:
    headers = request.headers
    authorization = headers.get("Authorization", "")
    return Ask(request.path, headers.get("Host", ""), request.remote or "", authorization)
