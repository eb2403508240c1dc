"""What is kept of one of very many bad exchanges of one second, which are not compared each."""

from typing import Final

import orjson

from proxy.diagnostics.neighbours.patterns import MISSING
from proxy.diagnostics.neighbours.telling import Told
from proxy.exchange import Exchange

BRIEF: Final = b'{"brief"'
"""How what is kept of such a one begins."""


def brief(x: Exchange, route: str, held: Told | None) -> bytes:
    """What is kept of one of this route: what was found of `x`, which ended alike, and who held
    the places."""
    many = "so many ended badly in this second that not each was compared"
    where = "this route" if x.route == route else f"the route {x.route or MISSING}"
    words = [f"{many}; of {x.request_id}, which ended alike on {where}, it was found:"]
    found = told_of(orjson.loads(x.around or b"{}").get("neighbours")).get("words")
    words += found if isinstance(found, list) else []
    told: Told = {"brief": True, "neighbours": {"words": words, "see": x.request_id}}
    return orjson.dumps(told | ({"culprits": {"places": held}} if held else {}))


def held_of(kept: bytes) -> Told:
    """Who held the places: nobody can find that out later."""
    return told_of(told_of(orjson.loads(kept).get("culprits")).get("places"))


def told_of(value: object) -> Told:
    """What was told, if it is of that form."""
    return value if isinstance(value, dict) else {}
