"""The frame of every dashboard page, and the headers that protect it.

No page may load, run or send anything but what comes from here: a value that slipped through as
markup could still do nothing.
"""

from typing import Final

from aiohttp import web

from proxy.admin.identity import IDENTITY, Identity
from proxy.admin.pages.markup import Content, Markup, el, html_document
from proxy.admin.session import COOKIE

POLICY: Final = "; ".join(
    (
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'",
        "img-src data:", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%23111827'/%3E"
    "%3Cpath d='M3 8h3l2-4 2 8 1.500-4H13' fill='none' stroke='%23f5b342' stroke-width='1.600'/%3E"
    "%3C/svg%3E"
)
_PAGES: Final = (
    ("Overview", "/"), ("Requests", "/requests"), ("Errors", "/errors"), ("Alerts", "/alerts"),
    ("Routes", "/routes"),
)  # fmt: skip
REFRESH: Final = 15
"""Seconds after which a live page is loaded anew where scripts do not run."""


def html_page(
    request: web.Request,
    title: str,
    *content: Content,
    here: str = "",
    is_live: bool = False,
    is_bare: bool = False,
    status: int = 200,
) -> web.Response:
    """A whole page; `here` is the path of the tab that it belongs to, a bare one shows none."""
    known = request.app.get(IDENTITY)
    identity = None if is_bare or known is None else known()
    named = f"{title} · {identity.words}" if identity is not None else title
    refresh = el("noscript", el("meta", http_equiv="refresh", content=REFRESH)) if is_live else None
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="robots", content="noindex"),
        el("title", f"{named} · Sidelight"),
        el("link", rel="icon", href=_ICON),
        el("link", rel="stylesheet", href="/assets/style.css"),
        el("script", src="/assets/page.js", defer=True),
        refresh,
    )
    skip = el("a", "Skip to content", href="#content", class_="skip")
    main = el("main", content, id="content", tabindex="-1")
    is_known = COOKIE in request.cookies
    around = (None, None) if is_bare else (_header(here, identity), _footer(is_known=is_known))
    body = el("body", skip, around[0], _lost(), main, around[1])
    return html_reply(html_document(el("html", head, body, lang="en")), status)


def html_reply(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


def guarded(answer: web.StreamResponse) -> None:
    """Put the guarding headers on an answer of any kind."""
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"


def _header(here: str, identity: Identity | None) -> Markup:
    tabs = [
        el("li", el("a", name, href=path, aria_current="page" if path == here else None))
        for name, path in _PAGES
    ]
    brand = el("a", "Sidelight", href="/", class_="brand")
    found = None if here == "/" else search()  # there it stands in the page, larger
    which = el("small", identity.words, class_="which") if identity is not None else None
    return el("header", brand, which, el("nav", el("ul", tabs), aria_label="Pages"), found)


def search() -> Markup:
    """The box for a Reference ID; a slash on the keyboard leads to it."""
    box = el(
        "input",
        id="search",
        name="id",
        type="search",
        placeholder="Reference ID",
        aria_label="Reference ID",
        autocomplete="off",
        autocapitalize="off",
        spellcheck="false",
        maxlength=1024,
        required=True,
        aria_keyshortcuts="/",
    )
    hint = el("kbd", "/", aria_hidden="true")
    explain = el("button", "Explain")
    return el("form", el("span", box, hint), explain, action="/requests", role="search")


def _lost() -> Markup:
    words = "No answer from Sidelight. What you see is old. Trying again …"
    return el("p", words, id="lost", role="alert", hidden=True)


def _footer(*, is_known: bool) -> Markup:
    """Who came by a session may end it."""
    button = el("button", "Sign out", class_="plain")
    leave = el("form", button, action="/session", method="post") if is_known else None
    links = [el("a", name, href=path) for name, path in (
        ("Health", "/health"), ("Metrics", "/metrics"), ("API", "/api/openapi.json"),
    )]  # fmt: skip
    return el("footer", links, leave)
