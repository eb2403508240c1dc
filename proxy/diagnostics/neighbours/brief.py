"""What is kept of one of very many bad exchanges of one second, which are not compared each."""

from typing import Final

import orjson

from proxy.diagnostics.neighbours.telling import Told

BRIEF: Final = b'{"brief"'
"""How what is kept of such a one begins."""


def brief(like: str, held: Told | None) -> bytes:
    """What is kept: one that was compared, and who held the places."""
    words = [f"so many ended badly in this second that not each was compared; one that was: {like}"]
    told: Told = {"brief": True, "neighbours": {"words": words, "see": like}}
    return orjson.dumps(told | ({"culprits": {"places": held}} if held else {}))


def held_of(kept: bytes) -> Told:
    """Who held the places: nobody can find that out later."""
    return told_of(told_of(orjson.loads(kept).get("culprits")).get("places"))


def told_of(value: object) -> Told:
    """What was told, if it is of that form."""
    return value if isinstance(value, dict) else {}
