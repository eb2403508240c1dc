"""An error told inside a stream whose status went out long ago.

Nothing here ends a stream with success: there is no `[DONE]`, and none may be added.
"""

from collections.abc import Callable
from typing import Literal

import orjson

from proxy.streams.framing import EventFraming, Profile

OPENAI_TYPE = "server_error"
"""The `type` of every error in the profile `openai`: nothing that the client asked for is wrong."""


def error_after(framing: EventFraming, form: Literal["event", "openai"], body: bytes) -> bytes:
    """`body` as an event behind what `framing` has passed on, which must take one; what was passed
    on in part is ended before it."""
    profile = framing.profile
    if profile == "sse" and form == "openai":
        profile = "openai"
    return framing.close_event() + error_event(profile, body)


def error_event(profile: Profile, body: bytes) -> bytes:
    """`body`, the one-line JSON of an error answer, as an event of the stream.

    Only for a stream that stands at a boundary. The profiles:

    * `sse`: `event: error` and the body as its data.
    * `openai`: data with the error object of that API, `{"error": {"message", "type", "param",
      "code", "request_id", "retryable", "retry_after"?}}`; `code` is the outcome's.
    * `ndjson`: the body as a line; `json-seq`: behind a record separator (RFC 7464).
    """
    return _FORMS[profile](body)


def _sse(body: bytes) -> bytes:
    return b"event: error\ndata: %b\n\n" % body


def _openai(body: bytes) -> bytes:
    told = orjson.loads(body)
    error = {
        "message": told.pop("message"),
        "type": OPENAI_TYPE,
        "param": None,
        "code": told.pop("error"),
        **told,
    }
    return b"data: %b\n\n" % orjson.dumps({"error": error})


def _ndjson(body: bytes) -> bytes:
    return body + b"\n"


def _json_seq(body: bytes) -> bytes:
    return b"\x1e%b\n" % body


_FORMS: dict[Profile, Callable[[bytes], bytes]] = {
    "sse": _sse,
    "openai": _openai,
    "ndjson": _ndjson,
    "json-seq": _json_seq,
}
