"""Why an attempt went to its endpoint, and what was known of the others, as a story tells it."""

from proxy.attempt_record import Attempt
from proxy.observation.record import ms
from proxy.upstream.chosen import Known


def went_to(attempt: Attempt, started: float) -> dict[str, object]:
    """Its endpoint, and why it was that one; `started` is when the exchange was opened."""
    return {
        "endpoint": attempt.endpoint,
        "address": attempt.address,
        "chosen": chosen(attempt, started),
    }


def chosen(attempt: Attempt, started: float) -> dict[str, object] | None:
    """None where the upstream has one endpoint; `started` is when the exchange did."""
    choice = attempt.chosen
    if choice is None:
        return None
    told: dict[str, object] = {
        "why": choice.why,
        "in_use": choice.in_use,
        "rival": choice.rival,
        "rival_in_use": choice.rival_in_use if choice.rival is not None else None,
        "usable": choice.usable,
        "known": [_known(each, started) for each in choice.known],
    }
    return {key: value for key, value in told.items() if value is not None}


def _known(known: Known, started: float) -> dict[str, object]:
    """`until_ms` is when it was to be tried again, from the opening of the exchange."""
    told: dict[str, object] = {
        "endpoint": known.endpoint,
        "address": known.address,
        "status": known.status,
        "reason": known.reason,
        "until_ms": ms(known.until - started) if known.until is not None else None,
    }
    return {key: value for key, value in told.items() if value is not None}
