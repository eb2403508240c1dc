"""What the record proves beyond how an exchange ended, and what that makes likely.

A table of circumstances, in the order in which they decide: each with its sentence, which is
proven, and with the inference that goes before that of the code and before what neighbours say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from proxy import outcome as o
from proxy.attempt_record import Attempt
from proxy.diagnostics.stories.inference import INFERENCES, PROVEN, Inference
from proxy.diagnostics.stories.words import lasting
from proxy.exchange import Exchange
from proxy.observation.end_facts import HIDDEN
from proxy.tls.reasons import TlsReason, tls_reason

_RECENT: Final = 300.0
"""Seconds for which a new answer of the DNS is told."""
_WORTH: Final = 0.05
"""Seconds of an own pause from which it is told,"""
_PART: Final = 0.1
"""where it was at least this part of the whole;"""
_MOST: Final = 0.5
"""and from this part on it is why the exchange was slow."""

_OF_TIME: Final = frozenset(
    (
        o.COMPLETED, o.REQUEST_TIMEOUT, o.QUEUE_TIMEOUT, o.POOL_TIMEOUT, o.CONNECT_TIMEOUT,
        o.HEAD_TIMEOUT, o.TOTAL_TIMEOUT, o.FIRST_EVENT_TIMEOUT, o.STREAM_STALLED,
        o.STREAM_MAX_DURATION, o.CLIENT_CLOSED_REQUEST, o.CLIENT_CLOSED_STREAM, o.CLIENT_TOO_SLOW,
    )
)  # fmt: skip
"""Ends that a pause of ours can bring about."""

OWN_PAUSE: Final = "own_pause"
NO_END_MARKER: Final = "no_end_marker"
UPGRADE_REFUSED: Final = "upgrade_refused"
NOT_READABLE: Final = "not_readable"


@dataclass(frozen=True, slots=True)
class Circumstance:
    """`sentence` is empty where it is not so; `runbook` is its own, or that of the code stands."""

    sentence: Callable[[Exchange], str]
    inference: Callable[[Exchange], Inference | None] | None = None
    runbook: str = ""


def circumstances_of(x: Exchange) -> Iterator[tuple[Circumstance, str]]:
    """Those of the record, each with its sentence."""
    return ((each, said) for each in CIRCUMSTANCES if (said := each.sentence(x)))


def own_runbook(x: Exchange) -> str:
    """The runbook of the first that has one and decides; empty where none has."""
    decisive = (each for each, _ in circumstances_of(x) if each.inference and each.inference(x))
    return next((each.runbook for each in decisive), "")


def own_inference(x: Exchange) -> Inference | None:
    """What the record itself makes likely; None where that is nothing."""
    found = (each.inference(x) for each, _ in circumstances_of(x) if each.inference)
    return next((inference for inference in found if inference is not None), None)


def tls_failed(end: Exchange | Attempt) -> TlsReason | None:
    """Why TLS failed; None where it did not, or for none of the known reasons."""
    return tls_reason(end.detail) if end.outcome is o.TLS_FAILURE else None


def _tls(x: Exchange) -> str:
    reason = tls_failed(x)
    return f"The reason: {reason.words}." if reason else ""


def _by_tls(x: Exchange) -> Inference | None:
    reason = tls_failed(x)
    if reason is None:
        return None
    return Inference(PROVEN, reason.check)


def _moved(x: Exchange) -> str:
    last = x.attempts[-1] if x.attempts else None
    found = last.resolved if last is not None and not last.reused else None
    if last is None or found is None or not found.before or last.outcome is None:
        return ""
    ago = last.started - found.since
    if ago > _RECENT:
        return ""
    to, before = ", ".join(found.addresses), ", ".join(found.before)
    return f"Its name leads to {to} since {lasting(max(0.0, ago))} before; until then to {before}."


def _by_move(x: Exchange) -> Inference | None:
    last = x.attempts[-1]
    if last.outcome not in (o.CONNECT_REFUSED, o.CONNECT_TIMEOUT, o.TLS_FAILURE):
        return None
    now = ", ".join(last.resolved.addresses) if last.resolved is not None else ""
    return Inference(
        "The answer of the DNS has changed, and the service is not where it leads now.",
        f"See whether {now} is where that endpoint is meant to be, and who changed its name.",
    )


def _pause(x: Exchange) -> str:
    stalled = _stalled(x)
    if stalled < _WORTH or stalled < _PART * x.duration:
        return ""
    return f"Sidelight itself stood still for {lasting(stalled)} of the {lasting(x.duration)}."


def _by_pause(x: Exchange) -> Inference | None:
    is_why = x.outcome in _OF_TIME and _stalled(x) >= _MOST * x.duration
    return INFERENCES[OWN_PAUSE] if is_why else None


def _stalled(x: Exchange) -> float:
    return x.evidence.stalled if x.evidence is not None else 0.0


def _no_marker(x: Exchange) -> str:
    if x.end_marker is not False or x.outcome is not o.COMPLETED:
        return ""
    return "But the stream ended without the end marker that its route looks for."


def _by_marker(x: Exchange) -> Inference | None:
    return INFERENCES[NO_END_MARKER] if x.outcome is o.COMPLETED else None


def _upgrade(x: Exchange) -> str:
    asked = _handshake(x)
    if asked is None or x.upstream_status in (None, 101):
        return ""
    switched = (x.evidence.switched if x.evidence else None) or {}
    version, other = asked.get(_VERSION, ""), switched.get(_VERSION, "")
    named = f" version {version}" if version else ""
    words = f"The client had asked for an upgrade to {asked.get('upgrade', '?')}{named}"
    if not _names_upgrade(asked):
        return f"{words}, but without `Connection: Upgrade`, so that it was a plain request."
    answered = f"; the answer names version {other}" if other and other != version else ""
    return f"{words}{answered}."


def _by_upgrade(x: Exchange) -> Inference | None:
    asked, switched = _handshake(x) or {}, (x.evidence.switched if x.evidence else None) or {}
    if x.outcome is not o.UPSTREAM_ERROR or x.upstream_status is None or x.upstream_status >= 500:
        return None
    if not _names_upgrade(asked):
        return Inference(
            "What stands in front of Sidelight, or the client, drops the header `Connection`.",
            "Set the proxy in front to pass `Connection` and `Upgrade` on.",
        )
    if (other := switched.get(_VERSION)) and other != asked.get(_VERSION):
        return Inference(
            f"The client speaks another version of WebSocket than the service: that wants {other}.",
            "Update the library of that client.",
        )
    return INFERENCES[UPGRADE_REFUSED]


_VERSION: Final = "sec-websocket-version"


def _handshake(x: Exchange) -> dict[str, str] | None:
    return x.evidence.handshake if x.evidence is not None else None


def _names_upgrade(asked: dict[str, str]) -> bool:
    return "upgrade" in asked.get("connection", "").lower()


def _not_readable(x: Exchange) -> str:
    cors = x.evidence.cors if x.evidence is not None else ""
    if x.outcome is o.PREFLIGHT_REFUSED or not cors.endswith(HIDDEN):
        return ""
    origin = cors.removesuffix(HIDDEN).rstrip()
    return f"A page of {origin} had asked, and `cors.origins` does not let it read the answer."


def _by_origin(x: Exchange) -> Inference | None:
    return INFERENCES[NOT_READABLE] if x.outcome is o.COMPLETED else None


def _compressed(x: Exchange) -> str:
    if not x.raw_coding:
        return ""
    return f"The stream came compressed ({x.raw_coding}), so that its events could not be seen."


def _by_coding(x: Exchange) -> Inference | None:
    if x.outcome is not o.COMPLETED:
        return None
    return Inference(
        "What compresses a stream holds its events back until it has enough of them.",
        "Let what compresses it, the service or what stands before it, leave streams as they are.",
    )


def _rest(x: Exchange) -> str:
    asked = x.attempts[-1].retry_after if x.attempts else None
    if x.outcome is not o.UPSTREAM_ERROR or asked is None:
        return ""
    return f"It asked to be left alone for {lasting(asked)} (Retry-After)."


CIRCUMSTANCES: Final = (
    Circumstance(_moved, _by_move),
    Circumstance(_tls, _by_tls),
    Circumstance(_pause, _by_pause, OWN_PAUSE),
    Circumstance(_no_marker, _by_marker, NO_END_MARKER),
    Circumstance(_upgrade, _by_upgrade, UPGRADE_REFUSED),
    Circumstance(_not_readable, _by_origin, NOT_READABLE),
    Circumstance(_compressed, _by_coding),
    Circumstance(_rest),
)
