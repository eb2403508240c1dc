"""In words: which endpoint an attempt went to, why, and what was known of the others."""

from collections.abc import Iterator
from typing import Final

from proxy.admin.json_view import JsonObject, as_number, length, part, rows, text

_WHY: Final = {
    "only": "the only one in use",
    "turn": "its turn",
    "fewer_requests": "no more requests under way",
    "hash": "the client's key leads there",
    "panic": "a panic: too few work, so all are used, those that are down as well",
    "elsewhere": "another one had failed",
    "probe": "a probe of one that was ejected",
    "full": "the first choice had no connection free",
    "none_better": "all in use had failed",
}


def endpoint_words(attempt: JsonObject) -> str:
    """With its address, where its name has several."""
    url, address = text(attempt, "endpoint", "?"), text(attempt, "address")
    return f"{url} ({address})" if address else url


def chosen_lines(attempt: JsonObject) -> Iterator[str]:
    """Nothing where there was no choice."""
    choice = part(attempt, "chosen")
    why = text(choice, "why")
    if not why:
        return
    words = f"chosen: {_WHY.get(why, why)}"
    if rival := text(choice, "rival"):
        own, other = text(choice, "in_use", "0"), text(choice, "rival_in_use", "0")
        words += f" than at {rival} ({own} and {other})"
    yield f"{words}; {text(choice, 'usable', '?')} could be used"
    for known in rows(choice, "known"):
        status, reason = text(known, "status"), text(known, "reason")
        if status == "usable":
            continue
        until = as_number(known, "until_ms")
        when = "" if until is None else f", until {length(max(0.0, until))} after it began"
        yield f"{status}: {endpoint_words(known)}{f', {reason}' if reason else ''}{when}"
