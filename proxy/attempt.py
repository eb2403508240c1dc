"""One attempt: a connection, the request sent, the head of the answer.

Ends at the head or at a failure, and says on the record which; whether there is another one
is not decided here.
"""

import asyncio
from math import inf

from proxy import outcome as o
from proxy.client.request import RequestError, read_body
from proxy.clock import now
from proxy.context import Passage
from proxy.exchange import Attempt
from proxy.http.framing import Head
from proxy.outcome import result_of
from proxy.relay import LAST_CHUNK, chunk
from proxy.resilience.deadline import Deadline
from proxy.upstream.connection import Connection
from proxy.upstream.endpoints import authority_of
from proxy.upstream.result import Failed

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def attempt(p: Passage, avoid: str | None) -> Head | Failed:
    """Make one attempt. The head's connection is `p.connection`; a failure holds none.

    `avoid` is the endpoint that has just failed; it is used only where there is no other.
    """
    x = p.x
    x.phase = "C"
    tried = Attempt("", now())
    got = p.upstream.take() or await _connect(p, tried.started, avoid)
    if isinstance(got, Failed):
        return _unconnected(p, tried, got)
    x.attempts.append(tried)
    tried.endpoint, tried.reused, tried.connect = got.endpoint, got.reused, got.connect_seconds
    tried.queued = got.queued
    p.connection = got
    if p.names_no_host:
        p.write_head(authority_of(got.endpoint))
    try:
        head = await _send(p, got) if p.body is not None else await _stream(p, got)
    finally:
        connected = tried.started + (tried.connect or 0.0) + got.queued
        sent = max(connected, p.sent_at)  # of an early answer: the upload has not ended
        tried.head = now() - sent
        x.upstream_wait += tried.head
        x.client_wait += sent - connected
        tried.sent = got.sent
    if isinstance(head, Failed):
        if head.outcome is o.STALE_CONNECTION:
            p.upstream.close_idle()  # they have idled for longer: the next one is to be new
        p.let_go(whole=False)
        return _failed(p, tried, _total(p, head))
    tried.status = head.status
    tried.result = result_of(head.status)
    return head


async def _connect(p: Passage, began: float, avoid: str | None) -> Connection | Failed:
    clocks = p.route.rule.timeouts
    left = p.deadline.left(began)
    try:
        got = await p.upstream.acquire(
            connect=clocks.connect, pool_wait=clocks.pool_wait, left=left, avoid=avoid
        )
    except asyncio.CancelledError:
        p.x.upstream_wait += now() - began
        raise
    _account(p, got, now() - began)
    return got


def _account(p: Passage, got: Connection | Failed, waited: float) -> None:
    """Split the wait into queueing here and connecting there."""
    if isinstance(got, Connection):
        queued = got.queued
    else:
        queued = waited if got.outcome is o.POOL_TIMEOUT else 0.0
    p.x.queued += queued
    p.x.upstream_wait += waited - queued


def _unconnected(p: Passage, tried: Attempt, failed: Failed) -> Failed:
    if failed.outcome is not o.POOL_TIMEOUT:  # then no endpoint was tried: no attempt to record
        p.x.attempts.append(tried)
        tried.endpoint = failed.endpoint
    return _failed(p, tried, failed)


async def _send(p: Passage, connection: Connection) -> Head | Failed:
    """Send the whole request at once and wait for the head."""
    p.x.phase = "H"
    _request(p, connection, p.head + _framed(p))
    p.sent_at = now()
    return await connection.head(p.deadline.cut(p.route.rule.timeouts.head, p.sent_at))


async def _stream(p: Passage, connection: Connection) -> Head | Failed:
    """Send the head, and wait for the answer's while the body is streamed up."""
    p.x.phase = "W"
    connection.writer.is_uploading = True
    _request(p, connection, p.head)
    p.upload = asyncio.create_task(_upload(p, connection))
    return await connection.head(inf)


def _request(p: Passage, connection: Connection, data: bytes) -> None:
    asked = p.asked
    connection.request(
        asked.method, data, may_switch=asked.wants_websocket, interim=p.pass_on_interim
    )


def _total(p: Passage, failed: Failed) -> Failed:
    """Which clock it was that ran out: the one that had less left when the wait began."""
    shorter = p.deadline.left(p.sent_at) < p.route.rule.timeouts.head
    if failed.outcome is o.HEAD_TIMEOUT and shorter:
        return Failed(o.TOTAL_TIMEOUT, "total ran out while awaiting the head", failed.endpoint)
    return failed


def _framed(p: Passage) -> bytes:
    body = p.body or b""
    if p.asked.has_body and p.asked.length is None:
        return chunk(body) + LAST_CHUNK if body else LAST_CHUNK
    return body


async def _upload(p: Passage, connection: Connection) -> None:
    """Stream the client's body up; when it is sent, the clocks of the answer begin."""
    clocks = p.route.rule.timeouts
    try:
        await _send_body(p, connection)
    except RequestError as refused:
        connection.give_up(refused.outcome, refused.detail)
        return
    sent = p.sent_at = now()
    p.deadline = Deadline.after(clocks.total, sent)
    if p.x.committed is None:
        p.x.phase = "H"
    connection.writer.is_uploading = False
    connection.shorten(p.deadline.cut(clocks.head, sent))


async def _send_body(p: Passage, connection: Connection) -> None:
    clocks = p.route.rule.timeouts
    chunked, writer = p.asked.length is None, connection.writer
    if p.asked.expects_continue:
        p.client.write(CONTINUE)
    while piece := await read_body(p.request, clocks.request_body_gap):
        p.x.bytes_in += len(piece)
        if p.x.bytes_in > p.route.rule.max_body:
            raise RequestError(o.BODY_TOO_LARGE, "body over the limit")
        writer.send(chunk(piece) if chunked else piece)
        if writer.is_paused and not await writer.drained(clocks.gap):
            raise RequestError(o.UPSTREAM_WRITE_FAILED, "the upstream stopped reading")
    if chunked:
        writer.send(LAST_CHUNK)


def _failed(p: Passage, tried: Attempt, failed: Failed) -> Failed:
    tried.outcome = failed.outcome
    tried.result = failed.outcome.result or "client_gone"  # its body was broken, late or too long
    tried.detail = p.x.detail = failed.detail
    return failed
