"""The states of a connection to an endpoint, and what leads from one to the next.

Read by `protocol`, which alone changes a state, by docs/connections.md and by the tests.
"""

from typing import Final

from proxy.transitions import Transitions

IDLE: Final = 0
TAKEN: Final = 1
AWAITING: Final = 2
BODY: Final = 3
TUNNEL: Final = 4
DONE: Final = 5
FAILED: Final = 6
CLOSING: Final = 7
CLOSED: Final = 8

STATES: Final = {
    "idle": "lies in the pool",
    "taken": "an exchange has it and has not begun its request",
    "awaiting": "the request has begun, the head of the response has not come",
    "body": "the head has come, the end of the body has not",
    "tunnel": "a 101 has come: what follows is not HTTP",
    "done": "the response is whole",
    "failed": "nothing more will come of the response",
    "closing": "closed by us or by the upstream, but the socket is still there",
    "closed": "the socket is gone",
}
"""What each state means, in the order of the numbers above.

What a response has brought is kept by its reader, in whatever state the connection is.
"""

TAKE: Final = 0
REQUEST: Final = 1
HEAD: Final = 2
SWITCH: Final = 3
END: Final = 4
FAIL: Final = 5
RELEASE: Final = 6
CLOSE: Final = 7
LOST: Final = 8

EVENTS: Final = {
    "take": "an exchange takes it from the pool",
    "request": "the first bytes of the request are sent",
    "head": "the head of the response has come",
    "switch": "the response is a 101 that was asked for",
    "end": "the body has ended as its framing said",
    "fail": "the response is malformed, or the exchange gives up",
    "release": "the exchange gives it back for reuse",
    "close": "we close it, or the upstream has closed or reset it",
    "lost": "the loop says that the socket is gone",
}
"""What each event means, in the order of the numbers above."""

TRANSITIONS: Final = Transitions(
    tuple(STATES),
    tuple(EVENTS),
    {
        "idle": {"take": "taken", "close": "closing"},
        "taken": {"request": "awaiting", "release": "idle", "close": "closing"},
        "awaiting": {"head": "body", "switch": "tunnel", "fail": "failed", "close": "closing"},
        "body": {"end": "done", "fail": "failed", "close": "closing"},
        "tunnel": {"close": "closing"},
        "done": {"fail": "done", "release": "idle", "close": "closing"},
        "failed": {"fail": "failed", "close": "closing"},
        "closing": {"request": "closing", "fail": "closing", "close": "closing", "lost": "closed"},
        "closed": {"request": "closed", "fail": "closed"},
    },
)
