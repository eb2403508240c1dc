"""Responses of the admin port: JSON, never cached, errors in one format."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import orjson
from aiohttp import web

from proxy.admin.guard import AdminRefusal
from proxy.admin.parameters import ParameterFault
from proxy.http.identity import new_id

NOT_FOUND: Final = AdminRefusal(404, "not_found", "There is no such page on the admin port.")
METHOD_NOT_ALLOWED: Final = AdminRefusal(
    405, "method_not_allowed", "This page takes other methods; Allow names them."
)
TOO_LARGE: Final = AdminRefusal(413, "body_too_large", "The admin port takes small bodies only.")
BAD_REQUEST: Final = AdminRefusal(
    400, "bad_request", "Some of what was asked for cannot be understood."
)
FAULT: Final = AdminRefusal(500, "internal_error", "Sidelight failed; its log says where.")
BODY_LATE: Final = AdminRefusal(408, "request_timeout", "The body did not arrive in time.")
NOT_MET: Final = AdminRefusal(
    417, "expectation_failed", "Nothing but 100-continue can be expected."
)
FORM_WANTED: Final = AdminRefusal(
    415, "form_required", "The form is sent as application/x-www-form-urlencoded."
)
_LAYOUT: Final = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def json_reply(body: object, status: int = 200) -> web.Response:
    text = orjson.dumps(body, default=str, option=_LAYOUT)
    return web.Response(body=text, status=status, content_type="application/json")


def refusal_reply(
    refusal: AdminRefusal,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> web.Response:
    """The same fields that the traffic port answers with, `more` of them, and its two headers."""
    request_id = new_id()
    body = {
        "error": refusal.code,
        "message": refusal.message,
        "request_id": request_id,
        "retryable": False,
        **(more or {}),
    }
    reply = json_reply(body, refusal.status)
    reply.headers.update(headers or {})
    reply.headers["X-Request-ID"] = request_id
    reply.headers["X-Sidelight-Error"] = refusal.code
    return reply


def faults_reply(faults: Sequence[ParameterFault]) -> web.Response:
    """400 with everything that is wrong."""
    return refusal_reply(BAD_REQUEST, more={"faults": [asdict(fault) for fault in faults]})


async def json_body(request: web.Request) -> Mapping[str, object] | None:
    """The JSON object in the body; an empty body is an empty object, anything else None."""
    text = await request.read()
    if not text.strip():
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
