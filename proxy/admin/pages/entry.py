"""The login page: a form for the admin token, and the page of a refused request."""

from typing import Final
from urllib.parse import unquote_plus

from aiohttp import web

from proxy.admin.guard import SESSION_PATH, AdminRefusal, Guard
from proxy.admin.pages.frame import html_page
from proxy.admin.pages.markup import Content, el
from proxy.admin.replies import FORM_WANTED, refusal_reply
from proxy.admin.session import COOKIE, LASTS
from proxy.clock import wall

_HOME = "/"
_FORM: Final = "application/x-www-form-urlencoded"
_WRONG = "This is not the token of this Sidelight."


class Entry:
    """Begins and ends sessions. The token is in the body of a POST only, never in an address."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        return [web.get(SESSION_PATH, self.ask), web.post(SESSION_PATH, self.answer)]

    async def ask(self, request: web.Request) -> web.Response:
        return entry_page(request)

    async def answer(self, request: web.Request) -> web.Response:
        """The form of the page, or the button that ends a session."""
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return see(_HOME)  # another page must not sign anybody out
        body = await request.read()
        if body and request.content_type != _FORM:
            return refusal_reply(FORM_WANTED)
        given = token_in(body)
        if given is None:
            return _leave()
        begun = self._guard.sessions.begin(given, wall())
        if begun is None:
            return entry_page(request, _WRONG, 401)
        answer = see(_HOME)
        answer.set_cookie(COOKIE, begun, max_age=LASTS, path="/", httponly=True,
                          samesite="Strict", secure=request.secure)  # fmt: skip
        return answer


def token_in(body: bytes) -> str | None:
    """What the form was filled with; None where it was the button. Odd bytes make a wrong token."""
    fields = (pair.partition(b"=") for pair in body.split(b"&", 16))
    given = (value for name, _, value in fields if name == b"token")
    value = next(given, None)
    return None if value is None else unquote_plus(value.decode("latin-1"), errors="replace")


def see(path: str) -> web.Response:
    """Go there by GET."""
    return web.Response(status=303, headers={"Location": path})


def entry_page(request: web.Request, wrong: str = "", status: int = 200) -> web.Response:
    box = el("input", name="token", type="password", autocomplete="current-password",
             required=True, autofocus=True, id="token")  # fmt: skip
    form = el("form", el("label", "Admin token", box), el("button", "Enter"), method="post",
              action=SESSION_PATH, class_="entry")  # fmt: skip
    hint: Content = ["It is what ", el("code", "SIDELIGHT_ADMIN__TOKEN"), " is set to."]
    refused = el("p", wrong, class_="wrong", role="alert") if wrong else None
    shown = (el("h1", "Sign in"), refused, form, el("p", hint, class_="quiet"))
    return html_page(request, "Sign in", shown, is_bare=True, status=status)


def refusal_page(request: web.Request, refusal: AdminRefusal) -> web.Response:
    """A refusal for people; where the token is missing, the form."""
    if refusal.status == 401:
        return entry_page(request, status=401)
    said = el("p", refusal.message)
    code = el("p", el("code", refusal.code), class_="quiet")
    is_bare = refusal.status == 403
    title = "Not found" if refusal.status == 404 else "Not allowed"
    return html_page(
        request, title, el("h1", title), said, code, is_bare=is_bare, status=refusal.status
    )


def _leave() -> web.Response:
    answer = see(SESSION_PATH)
    answer.del_cookie(COOKIE, path="/")
    return answer
