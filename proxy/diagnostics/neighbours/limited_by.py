"""Whom a limit that was met counts for, as the words of the refusal say it."""

import re
from typing import Final

from proxy.exchange import Exchange

_BY: Final = re.compile(r"\bby (\S+)[^,]*$")


def limited_by(x: Exchange) -> str:
    """`address`, `header`, `cookie` or the name of a field; empty where it counts for all."""
    found = _BY.search(x.detail or "")
    return found[1] if found else ""
