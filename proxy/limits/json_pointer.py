"""JSON pointers (RFC 6901): what stands at one, and whether all readers find the same there."""

import json
from functools import lru_cache
from typing import Final

MOST_OBJECTS: Final = 20_000
"""Objects of a body that is looked through for members that are there twice; some milliseconds."""


def resolve(document: object, pointer: str) -> object:
    """What stands at a JSON pointer; None where nothing does."""
    for part in pointer_parts(pointer):
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and _is_index(part):
            document = document[int(part)] if int(part) < len(document) else None
        else:
            return None
    return document


def doubled(body: bytes, pointer: str) -> str | None:
    """Why it is not sure that all readers find the same there; None where it is.

    A member on the way that is there twice: some take the first one, some the last.
    """
    if not _may_be_doubled(body, pointer):
        return None
    if body.count(b"{") > MOST_OBJECTS:
        return f"more than {MOST_OBJECTS} objects, and perhaps a member twice"
    try:
        document = json.loads(body, object_pairs_hook=_Members)
    except (ValueError, RecursionError):  # stricter than the other reader: nothing may pass for it
        return "not the same for all readers of JSON"
    return f"a member is there twice on the way to {pointer}" if _twice(document, pointer) else None


def _may_be_doubled(body: bytes, pointer: str) -> bool:
    """A cheap look that errs on one side: whether a name on the way stands there twice."""
    if b"\\u" in body:  # any name may be written so
        return True
    if "~1" in pointer and b"\\/" in body:
        return True
    return any(body.count(name) > 1 for name in _names_of(pointer))


def _twice(document: object, pointer: str) -> bool:
    for part in pointer_parts(pointer):
        if isinstance(document, _Members):
            found = [value for name, value in document.pairs if name == part]
            if len(found) != 1:
                return len(found) > 1
            document = found[0]
        elif isinstance(document, list) and _is_index(part) and int(part) < len(document):
            document = document[int(part)]
        else:
            return False
    return False


class _Members:
    """The members of an object, all of them."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 7 and (part == "0" or part[0] != "0")


@lru_cache(maxsize=256)
def pointer_parts(pointer: str) -> tuple[str, ...]:
    """The names and indices of a pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


@lru_cache(maxsize=256)
def _names_of(pointer: str) -> tuple[bytes, ...]:
    """The parts as they stand in JSON where nothing in them is escaped by choice."""
    return tuple(json.dumps(part, ensure_ascii=False).encode() for part in pointer_parts(pointer))
