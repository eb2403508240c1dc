"""What happened around an exchange, as it is kept on the record."""

from collections.abc import Callable

import orjson

from proxy.exchange import Exchange

Complete = Callable[[Exchange], None]
"""Finds out what happened around an exchange that has ended, before its story is made."""


def leave(x: Exchange) -> None:
    """Finds out nothing about `x`."""


def around_of(x: Exchange) -> dict[str, object]:
    """What happened around it: `neighbours`, `culprits` and `usual`, as far as there are any."""
    around = orjson.loads(x.around) if x.around else {}
    if not isinstance(around, dict):
        return {}
    return {name: told for name, told in around.items() if name != "brief"}
