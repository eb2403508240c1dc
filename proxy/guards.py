"""What is refused before anything is sent to an upstream, and with which outcome.

Each guard is a plain question about the request; the order here is the order in which they are asked.
"""

from proxy import outcome as o
from proxy.inbound import Inbound, is_well_formed
from proxy.outcome import Outcome

_VERSIONS = ((1, 0), (1, 1))


def refuse_request(asked: Inbound, pseudonym: bytes) -> Outcome | None:
    """What is wrong with the request itself, whatever its route.

    `pseudonym` is our own name in `Via`; a request that carries it has been here already.
    """
    if asked.version not in _VERSIONS:
        return o.HTTP_VERSION_NOT_SUPPORTED
    if asked.method == "CONNECT":
        return o.NOT_IMPLEMENTED
    if asked.fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        return o.NOT_IMPLEMENTED
    if not is_well_formed(asked):
        return o.BAD_REQUEST
    if pseudonym in asked.fields.get(b"via", b""):
        return o.PROXY_LOOP
    return None


def refuse_on_route(asked: Inbound, max_body: int) -> Outcome | None:
    """What this route does not take; `max_body` in bytes."""
    if asked.upgrade == b"websocket":
        return o.UPGRADE_NOT_ALLOWED
    if asked.length is not None and asked.length > max_body:
        return o.BODY_TOO_LARGE
    return None
