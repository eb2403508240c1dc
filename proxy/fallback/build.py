"""Fallbacks as they run, from the rule of a route. A file is read at the start, and by reloads."""

from dataclasses import dataclass
from pathlib import Path

from proxy.fallback.rules import LARGEST, FallbackRule
from proxy.fallback.static_answer import StaticAnswer, static_answer
from proxy.streams.rules import EndMarkerRule


@dataclass(frozen=True, slots=True)
class Fallback:
    """What is given in the upstream's place, in this order; None: not that."""

    upstream: str | None
    static: StaticAnswer | None


def fallback(rule: FallbackRule, marker: EndMarkerRule) -> Fallback | None:
    """The fallback of a route; None where it has none.

    Raises OSError where its file cannot be read, ValueError where it is not what its type says.
    """
    if rule.upstream is None and rule.type is None:
        return None
    static = None
    if rule.type is not None:
        body = (rule.body or "").encode() if rule.file is None else file_bytes(rule.file)
        static = static_answer(rule.status, rule.type, body, marker)
    return Fallback(rule.upstream, static)


def file_bytes(file: str) -> bytes:
    """The bytes of a file, at most one more than a body may have. Raises OSError."""
    with Path(file).open("rb") as opened:
        return opened.read(LARGEST + 1)
