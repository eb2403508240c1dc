"""Security headers of every response of the admin port, those that aiohttp makes itself
included.
"""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.admin.guard import AdminRefusal
from proxy.admin.pages.entry import refusal_page
from proxy.admin.pages.frame import guarded
from proxy.admin.replies import (
    BAD_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    NOT_MET,
    TOO_LARGE,
    refusal_reply,
)

_NOT_PAGES: Final = ("/api/", "/drain", "/livez", "/readyz", "/health", "/metrics")
_REFUSALS: Final = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE, 417: NOT_MET}


def add_security_headers(answer: web.StreamResponse) -> web.StreamResponse:
    """Put the headers on it that guard it; it is never cached."""
    guarded(answer)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Server"] = "sidelight"
    return answer


def dressed(handler: Handler) -> Handler:
    """`handler`, its answers dressed and its refusals in our form."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return add_security_headers(await handler(request))
        except web.HTTPMethodNotAllowed as error:
            allow = {"Allow": ", ".join(sorted(error.allowed_methods))}
            return add_security_headers(refusal_reply(METHOD_NOT_ALLOWED, allow))
        except web.HTTPException as error:
            return add_security_headers(refused(request, _REFUSALS.get(error.status, BAD_REQUEST)))

    return answer


def refused(request: web.Request, refusal: AdminRefusal) -> web.Response:
    """In HTML for browsers that asked for a page, else in JSON."""
    wants_page = "text/html" in request.headers.get("Accept", "")
    if wants_page and request.method in ("GET", "HEAD") and not request.path.startswith(_NOT_PAGES):
        return refusal_page(request, refusal)
    challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    return refusal_reply(refusal, challenge)
