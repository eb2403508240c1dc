"""The knobs of a fallback."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from proxy.fallback.record import STATIC
from proxy.knobs import Knobs

_TYPE = re.compile(
    r"[!#$&^_.+\-A-Za-z0-9]+/[!#$&^_.+\-A-Za-z0-9]+(; ?[a-z]+=[!#$&^_.+\-A-Za-z0-9]+)*"
)
_NO_CONTENT = (204, 205, 304)
LARGEST = 64 * 1024
"""Bytes of a body: it is kept in memory, and written in one go."""


def _type(text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise ValueError(
            f'"{text}" is not a content type; write one such as application/json or '
            "text/plain; charset=utf-8"
        )
    return text


def _status(status: int) -> int:
    if status in _NO_CONTENT:
        raise ValueError(f"{status} has no content; write 200, or 503 to say that it is an error")
    return status


def _upstream(name: str) -> str:
    if name == STATIC:
        raise ValueError(f'"{STATIC}" is what a fixed answer is called; give the upstream another')
    return name


class FallbackRule(Knobs):
    """What the client gets where the upstream gives no answer: `upstream` is asked first, where it
    fails as well the fixed answer is given."""

    upstream: Annotated[str, AfterValidator(_upstream)] | None = None
    """Upstream that is asked once in its place, where the request can be sent again; null: none."""
    status: Annotated[int, Field(ge=200, le=599), AfterValidator(_status)] = 200
    """Status of the fixed answer."""
    type: Annotated[str, AfterValidator(_type)] | None = None
    """Content type of the fixed answer; null: there is none."""
    body: str | None = None
    """Its body. JSON and text go as an event of a stream to clients that ask for one."""
    file: Annotated[str, Field(min_length=1)] | None = None
    """File with its body, up to 64 KiB, read at the start and by each reload; a relative path
    begins where Sidelight is started."""

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.body is not None and self.file is not None:
            raise ValueError("has both body and file; write one, and null for an inherited other")
        if (self.type is None) != (self.body is None and self.file is None):
            raise ValueError(
                "a fixed answer is a type and one of body and file; write both, or neither"
            )
        if self.body is not None and len(self.body.encode()) > LARGEST:
            raise ValueError(f"body is larger than {LARGEST // 1024}KiB")
        return self
