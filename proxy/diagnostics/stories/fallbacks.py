"""What a story tells of a fallback: what was tried and given where the upstream gave no answer."""

from proxy.exchange import Exchange
from proxy.fallback.record import STATIC
from proxy.observation.record import ms


def fallback_of(x: Exchange) -> dict[str, object] | None:
    """The facts; None where the exchange did not come to a fallback."""
    record = x.fallback
    if record is None:
        return None
    told: dict[str, object] = {"given": record.given, "upstream": record.upstream}
    if (tried := record.attempt) is not None:
        told |= {
            "endpoint": tried.endpoint,
            "at_ms": ms(tried.started - x.started),
            "connect_ms": None if tried.connect is None else ms(tried.connect),
            "head_ms": None if tried.head is None else ms(tried.head),
            "status": tried.status,
            "result": tried.result,
            "detail": tried.detail,
        }
    if record.outcome is not None:
        told["code"] = record.outcome.code
    return {key: value for key, value in told.items() if value not in (None, "")}


def fallback_words(x: Exchange) -> str:
    """The same as sentences; empty where there is nothing to tell."""
    record = x.fallback
    if record is None:
        return ""
    sentences = []
    if record.upstream and record.upstream != record.given:
        tried = record.attempt
        result = (f"status {tried.status}" if tried.status else tried.result) if tried else None
        why = f" ({result})" if result else ""
        sentences.append(f"The upstream {record.upstream} was asked instead, to no avail{why}.")
    if record.given:
        what = (
            "fixed answer" if record.given == STATIC else f"answer of the upstream {record.given}"
        )
        sentences.append(f"The client was given the {what} instead, with status {x.status}.")
    if record.outcome is not None:
        sentences.append(f"That answer itself ended as {record.outcome.code}.")
    return " ".join(sentences)
