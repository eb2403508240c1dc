"""What a request must be before an upstream hears of it: its type, and the message in its JSON.

Looks at heads and at whole bodies; refuses to wait for either.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

from proxy import outcome as o
from proxy.http.request_head import RequestHead
from proxy.outcome import Outcome

LARGEST: Final = 1024 * 1024
"""Bytes of a body that is looked into."""

_LONGEST_TYPE: Final = 256
_WITH_MESSAGE: Final = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Unfit:
    """The request is not what the route takes; `detail` is internal, `number` fills the message."""

    outcome: Outcome
    detail: str
    number: int | None = None


def is_looked_into(asked: RequestHead) -> bool:
    """Whether a request is one that brings a message."""
    return asked.has_body or asked.method in _WITH_MESSAGE


def refuse_type(asked: RequestHead, allowed: tuple[str, ...]) -> Unfit | None:
    """Whether the body's type is none of `allowed`; none of them: every type is."""
    if not allowed or not is_looked_into(asked):
        return None
    kind = body_type(asked)
    if _is_allowed(kind, allowed):
        return None
    return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, f"content type {kind[:100] or 'none'}")


def refuse_unreadable(asked: RequestHead) -> Unfit | None:
    """Whether there can be no message to look at, by the head alone."""
    kind = body_type(asked)
    if kind != "application/json" and not kind.endswith("+json"):
        return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, f"content type {kind[:100] or 'none'}, not JSON")
    coding = asked.fields.get(b"content-encoding")
    if coding and coding.lower() != b"identity":
        return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, "a compressed body cannot be looked into")
    if asked.length is not None and asked.length > LARGEST:
        return Unfit(o.BODY_TOO_LARGE, f"{asked.length} bytes, more than are looked into")
    return None


def refuse_message(body: bytes, pointer: str, max_length: int) -> Unfit | None:
    """What is wrong with the message at `pointer` (RFC 6901), at most `max_length` code points.

    Of a member that is there twice the last one counts, as for most readers of JSON.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Unfit(o.BAD_REQUEST, "the body is no JSON")
    message = resolve(document, pointer)
    if not isinstance(message, str):
        return Unfit(o.MESSAGE_EMPTY, f"no text at {pointer}")
    if not message.strip():
        return Unfit(o.MESSAGE_EMPTY, f"only blanks at {pointer}")
    if len(message) > max_length:
        return Unfit(
            o.MESSAGE_TOO_LONG,
            f"{len(message)} characters at {pointer}, more than {max_length}",
            max_length,
        )
    return None


def body_type(asked: RequestHead) -> str:
    """The type of the body in lower case, without parameters; empty where none is named."""
    return _parsed_type(asked.fields.get(b"content-type", b"")[:_LONGEST_TYPE])


@lru_cache(maxsize=256)
def _is_allowed(kind: str, allowed: tuple[str, ...]) -> bool:
    return any(kind == one or (one.endswith("/*") and kind.startswith(one[:-1])) for one in allowed)


@lru_cache(maxsize=256)
def _parsed_type(value: bytes) -> str:
    return value.partition(b";")[0].strip().lower().decode("latin-1")


def resolve(document: object, pointer: str) -> object:
    """What stands at a JSON pointer; None where nothing does."""
    for part in _parts(pointer):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdecimal() and len(part) < 7:
            document = document[int(part)] if int(part) < len(document) else None
        else:
            return None
    return document


@lru_cache(maxsize=256)
def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
