"""What the span of an attempt says that stands in no single field of the record."""

from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.http.head_writer import without_prefix
from proxy.outcome import COMPLETED, INTERNAL_ERROR, UPSTREAM_ERROR
from proxy.tracing.route_words import RouteWords

_SWITCHED: Final = 101
"""A tunnel goes on when its upstream has said its last."""


def code_of_attempt(x: Exchange, tried: Attempt) -> str:
    """The code of an attempt that failed; also of one whose answer broke after its head.

    Empty where it did not, and where the client left: who gives up has not failed.
    """
    if tried.outcome is not None:
        return tried.outcome.code
    if tried.status is None:  # it was waiting still when the exchange ended
        ended = x.outcome or INTERNAL_ERROR
        return "" if ended.category == "client" else ended.code
    if tried.status >= 400:
        return UPSTREAM_ERROR.code
    spare = x.fallback
    if spare is not None and spare.given:
        is_last, outcome = tried is spare.attempt, spare.outcome
    else:
        is_last, outcome = bool(x.attempts) and tried is x.attempts[-1], x.outcome
    is_theirs = outcome is not None and outcome.category == "upstream"
    return outcome.code if is_last and is_theirs and outcome is not None else ""


def end_of_attempt(x: Exchange, tried: Attempt, n: int) -> float:
    """When the attempt was over: at the next one, at an answer of ours, or with the exchange."""
    ended, spare = x.ended, x.fallback
    if n + 1 < len(x.attempts):
        ended = x.attempts[n + 1].started - tried.pause
    elif spare is not None and n < len(x.attempts):
        ended = spare.attempt.started if spare.attempt is not None else x.committed or x.ended
    elif tried.status is None:
        ended = x.committed or x.ended
    elif x.last_byte is not None and x.outcome is COMPLETED and tried.status != _SWITCHED:
        ended = x.started + x.last_byte
    return max(ended, tried.started)


def peer_of_attempt(tried: Attempt) -> str:
    """Address and port of the other end of its connection; empty where it had none."""
    link = tried.link
    return link.peer if link is not None else ""


def url_of_attempt(x: Exchange, tried: Attempt, words: RouteWords | None) -> str:
    target = x.target
    if words is not None and words.prefix:
        target = without_prefix(target, words.prefix)
    return tried.endpoint if target == "*" else tried.endpoint + target  # RFC 9112 §3.2.4
