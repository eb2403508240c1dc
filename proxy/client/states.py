"""The states of a client's connection, and the transitions between them.

A connection is in exactly one of them. `TRANSITIONS` is what the code is held to: `FOLLOWERS`
is made of it, and so do the docs and the tests.
"""

from typing import Final

WAITING: Final = 0
HEAD: Final = 1
EXCHANGE: Final = 2
DRAINING: Final = 3
TUNNEL: Final = 4
CLOSING: Final = 5
CLOSED: Final = 6

NAMES: Final = ("waiting", "head", "exchange", "draining", "tunnel", "closing", "closed")

MEANINGS: Final = (
    "Nothing of a request has arrived.",
    "A part of a head has arrived; its clock runs.",
    "A request is served, or a refusal of one.",
    "The answer is out; the rest of what the client sends is read and dropped.",
    "HTTP is over; a tunnel has the connection.",
    "Told to close; what is queued for the client is still written.",
    "The socket is closed.",
)

TRANSITIONS: Final = (
    ("waiting", "a part of a head arrives", "head"),
    ("waiting", "a request, or the fault of one, is there", "exchange"),
    ("waiting", "idle too long, or room is needed, or the process ends", "closing"),
    ("waiting", "the connection is lost", "closed"),
    ("head", "the head is whole, refused or late", "exchange"),
    ("head", "the process ends", "closing"),
    ("head", "the connection is lost", "closed"),
    ("exchange", "answered, and the request was read whole", "waiting"),
    ("exchange", "answered before all was read", "draining"),
    ("exchange", "protocols are switched", "tunnel"),
    ("exchange", "answered for the last time, or broken off", "closing"),
    ("exchange", "the connection is lost", "closed"),
    ("draining", "the rest of the body has come", "waiting"),
    ("draining", "too much or too long, or the process ends", "closing"),
    ("draining", "the connection is lost", "closed"),
    ("tunnel", "the tunnel ends", "closing"),
    ("tunnel", "the connection is lost", "closed"),
    ("closing", "the connection is lost", "closed"),
)
"""State, event, next state: every transition there is."""


def _followers() -> tuple[int, ...]:
    masks = [0] * len(NAMES)
    for state, _, following in TRANSITIONS:
        masks[NAMES.index(state)] |= 1 << NAMES.index(following)
    return tuple(masks)


FOLLOWERS: Final = _followers()
"""By state: the states that may follow it, as bits."""
