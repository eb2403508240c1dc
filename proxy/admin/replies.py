"""Answers of the admin port: JSON in the form of the house, never cached."""

from collections.abc import Mapping

import orjson
from aiohttp import web

from proxy.admin.guard import Refusal
from proxy.identity import new_id

NOT_FOUND = Refusal(404, "not_found", "There is no such page on the admin port.")
METHOD_NOT_ALLOWED = Refusal(405, "method_not_allowed", "This page can only be read.")

_LAYOUT = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def json_reply(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(
            body, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        ),
        status=status,
        content_type="application/json",
    )


def refusal_reply(refusal: Refusal, headers: Mapping[str, str] | None = None) -> web.Response:
    """The same five fields that the traffic port answers with, and the same two headers."""
    request_id = new_id()
    reply = json_reply(
        {
            "error": refusal.code,
            "message": refusal.message,
            "request_id": request_id,
            "retryable": False,
        },
        refusal.status,
    )
    reply.headers.update(headers or {})
    reply.headers["X-Request-ID"] = request_id
    reply.headers["X-Sidelight-Error"] = refusal.code
    return reply
