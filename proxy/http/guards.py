"""What is refused before anything is sent to an upstream, and with which outcome.

Each guard is a plain question about the request; they are asked in the order in which they stand.
"""

from proxy import outcome as o
from proxy.http.request_head import RequestHead, is_well_formed
from proxy.outcome import Outcome


def refuse_request(asked: RequestHead, pseudonym: bytes) -> Outcome | None:
    """What is wrong with the request itself, whatever its route.

    `pseudonym` is our own name in `Via`; a request that carries it has been here already.
    """
    if asked.method == "CONNECT":
        return o.NOT_IMPLEMENTED
    fields = asked.fields
    if b"transfer-encoding" in fields and (refusal := _refuse_coding(asked)):
        return refusal
    if not is_well_formed(asked):
        return o.BAD_REQUEST
    if b"via" in fields and _has_passed(fields[b"via"], pseudonym):
        return o.PROXY_LOOP
    return None


def _refuse_coding(asked: RequestHead) -> Outcome | None:
    if asked.fields[b"transfer-encoding"].lower() != b"chunked":
        return o.NOT_IMPLEMENTED
    # faulty framing, however well it reads: RFC 9112 §6.1
    return o.BAD_REQUEST if asked.version == (1, 0) else None


def _has_passed(via: bytes, pseudonym: bytes) -> bool:
    """Whether a member of `Via` is received by `pseudonym`, and not just by a longer name."""
    return pseudonym in via and any(
        member.split()[1:2] == [pseudonym] for member in via.split(b",")
    )


def refuse_on_route(asked: RequestHead, max_body: int, *, websocket: bool) -> Outcome | None:
    """What this route does not take; `max_body` in bytes."""
    if asked.wants_websocket and not (websocket and _may_switch(asked)):
        return o.UPGRADE_NOT_ALLOWED
    if asked.length is not None and asked.length > max_body:
        return o.BODY_TOO_LARGE
    return None


def _may_switch(asked: RequestHead) -> bool:
    """Whether it is a GET without a body: RFC 6455 §4.1, or readers disagree where it ends."""
    return asked.method == "GET" and not asked.has_body
