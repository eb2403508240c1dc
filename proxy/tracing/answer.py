"""Reads what a collector answers.

Mostly it took all, and says so in one piece: that is seen at once. Any other answer is read by
`http.client`, which takes longer than all else that is done for a batch.
"""

import http.client
from dataclasses import dataclass
from typing import Final

from proxy.tracing.timed_socket import TimedSocket

_MOST_READ: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` may be cut, and then the connection is not kept."""

    status: int
    data: bytes
    retry_after: str | None = None
    is_kept: bool = True


def read_answer(sock: TimedSocket) -> Answer:
    """Raises OSError, HTTPException or ValueError."""
    came = sock.recv(_MOST_READ)
    data = _all_of_a_plain_200(came)
    if data is not None:
        return Answer(200, data)
    sock.give_back(came)
    with http.client.HTTPResponse(sock, method="POST") as answer:  # type: ignore[arg-type]
        answer.begin()
        while answer.status < 200:  # interim: `http.client` passes over 100 alone
            answer.headers = None  # type: ignore[assignment]  # as one that has not begun
            answer.begin()
        data = answer.read(_MOST_READ)
        is_kept = answer.isclosed() and not answer.will_close
        return Answer(answer.status, data, answer.headers.get("Retry-After"), is_kept)


def _all_of_a_plain_200(came: bytes) -> bytes | None:
    """Its body; None where it is anything else, or is not all there."""
    head, _, body = came.partition(b"\r\n\r\n")
    first, *fields = head.lower().split(b"\r\n")
    if not first.startswith(b"http/1.1 200 ") or b"content-length: %d" % len(body) not in fields:
        return None
    for field in fields:
        if field.startswith(_FRAMING) and field != b"connection: keep-alive":
            return None
    return body


_FRAMING: Final = (b"transfer-encoding", b"connection")
