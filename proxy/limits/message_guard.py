"""What a request must be before an upstream hears of it: its type, and the message in its JSON.

Looks at heads and at whole bodies; refuses to wait for either.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import orjson

from proxy import outcome as o
from proxy.http.request_head import RequestHead
from proxy.limits.json_pointer import doubled, resolve
from proxy.outcome import Outcome

LARGEST: Final = 1024 * 1024
"""Bytes of a body that is looked into."""

_LONGEST_TYPE: Final = 256
_UTF_8 = re.compile(rb"charset\s*=\s*\"?(?:utf-?8|us-ascii)\"?\s*(?:;|$)")
"""All that JSON may be (RFC 8259 §8.1): an upstream that obeys another one reads another text."""
WITH_MESSAGE: Final = frozenset(("POST", "PUT", "PATCH"))
"""Methods whose requests are taken to bring a message, also where they have no body."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The request is not what the route takes; `detail` is internal, `number` fills the message."""

    outcome: Outcome
    detail: str
    number: int | None = None


def refuse_type(asked: RequestHead, allowed: tuple[str, ...]) -> Unfit | None:
    """Whether the body's type is none of `allowed`; none of them: every type is."""
    if not allowed or not (asked.has_body or asked.method in WITH_MESSAGE):
        return None
    kind = body_type(asked)
    if _is_allowed(kind, allowed):
        return None
    return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, f"content type {kind[:100] or 'none'}")


def refuse_unreadable(asked: RequestHead) -> Unfit | None:
    """Whether there can be no message to look at, by the head alone."""
    if not asked.has_body:
        return None
    kind = body_type(asked)
    if kind != "application/json" and not kind.endswith("+json"):
        return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, f"content type {kind[:100] or 'none'}, not JSON")
    if b"charset" in (sent := asked.fields[b"content-type"].lower()) and not _UTF_8.search(sent):
        return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, "a charset that is not UTF-8")
    coding = asked.fields.get(b"content-encoding")
    if coding and coding.lower() != b"identity":
        return Unfit(o.MEDIA_TYPE_NOT_SUPPORTED, "a compressed body cannot be looked into")
    if asked.length is not None and asked.length > LARGEST:
        return Unfit(o.BODY_TOO_LARGE, f"{asked.length} bytes, more than are looked into")
    return None


def refuse_message(body: bytes, pointer: str, max_length: int) -> Unfit | None:
    """What is wrong with the message at `pointer` (RFC 6901), at most `max_length` code points.

    Where a member on the way to it is there twice, readers of JSON differ on which one counts.
    """
    if not body.strip():
        return Unfit(o.MESSAGE_EMPTY, "no body")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Unfit(o.BAD_REQUEST, "the body is no JSON")
    if why := doubled(body, pointer):
        return Unfit(o.BAD_REQUEST, why)
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
