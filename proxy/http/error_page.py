"""The page on which a person reads an error of ours: a message, and the ID to ask after it.

Nothing in it comes from anywhere else, and nothing in it is run: no script, no image, no font.
"""

import base64
import hashlib
from html import escape
from http import HTTPStatus

HTML = b"text/html; charset=utf-8"

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.25rem}p{margin:.75rem 0}.id{font-size:.875rem;opacity:.75}"
    "code{font-family:ui-monospace,monospace;overflow-wrap:anywhere;user-select:all}"
)
_PAGE = (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="robots" content="noindex">\n'
    "<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
    "<h1>{message}</h1>\n"
    '<p class="id">Reference ID: <code>{request_id}</code></p>\n'
    "</main>\n</body>\n</html>\n"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest())

PAGE_LINES = (
    b"Content-Security-Policy: default-src 'none'; style-src 'sha256-%b'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Referrer-Policy: no-referrer\r\n" % _HASH
)
"""Header lines that go with the page: only its own style counts."""


def error_page(status: int, message: str, request_id: str) -> bytes:
    """The page, whole; all words are escaped. Its title is the reason phrase of `status`."""
    title = next((each.phrase for each in HTTPStatus if each == status), "Error")
    page = _PAGE.format(
        title=escape(title),
        style=_STYLE,
        message=escape(message or title),
        request_id=escape(request_id),
    )
    return page.encode()
