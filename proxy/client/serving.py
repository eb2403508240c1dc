"""The task of a client's connection: serves its requests one after the other.

Refuses to know what an exchange is; it asks the connection's owner to make one of each request.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final

from proxy import outcome as o
from proxy.client.connection import ClientConnection
from proxy.client.head_reader import RequestRefusal
from proxy.client.request import Request, RequestError
from proxy.client.states import CLOSED, CLOSING, DRAINING, EXCHANGE, HEAD, WAITING
from proxy.clock import now

LINGER: Final = 5.0
"""Seconds for which what a client still sends is read and dropped: closed at once, a reset could
overtake the answer (RFC 9112 §9.6)."""

LINGER_BYTES: Final = 64 * 1024 * 1024
"""Bytes read and dropped at most."""


async def serve(client: ClientConnection) -> None:
    """Serve requests until the connection is to end, and close it."""
    goes_on, reader = True, client.reader
    try:
        while goes_on and await _arrives(client):
            exchange = _begin(client)
            try:
                goes_on = await exchange
            except asyncio.CancelledError:
                if client.state != CLOSED:
                    raise
                return  # the client left, and the exchange has its end
            finally:
                client.is_serving = False
            if client.state != EXCHANGE:
                break
            if not reader.body.is_whole:
                goes_on = goes_on and await _drop_rest(client)
            elif goes_on:
                client.wait_again()
            if goes_on and reader.held:
                await asyncio.sleep(0)  # others' turn: who sends ahead may not have the loop alone
        if client.state < CLOSING:
            await _end(client)
    finally:
        client.task = None  # it holds the connection
        if client.state < CLOSING:
            client.abort()  # by a fault of ours


async def _arrives(client: ClientConnection) -> bool:
    """Wait for a request. False where none will come."""
    reader = client.reader
    while (state := client.state) <= HEAD:
        if reader.is_ready():
            return True
        if state == WAITING and reader.has_begun:
            client.begin_head()
            client.account_head()
            continue
        left = client.patience.left()
        if left <= 0:
            if state == WAITING:
                return False  # idle for long enough: closed without a response
            reader.refuse(o.REQUEST_TIMEOUT, "head incomplete when its clock ran out")
            return True
        client.resume_reading()
        await client.waiter.wait(left)
    return False


def _begin(client: ClientConnection) -> Awaitable[bool]:
    """Begin to serve the request that is there. Whether the connection may go on behind it."""
    client.begin_exchange()
    reader = client.reader
    asked = reader.take()
    if not reader.is_at_end or client.intake.held or client.reading.is_paused:
        client.look_behind()
    body = reader.body
    if isinstance(asked, RequestRefusal):
        refused = RequestError(asked.outcome, asked.why)
        return client.refuse(Request(asked.asked, body, client), refused)
    return client.serve(Request(asked, body, client))


async def _drop_rest(client: ClientConnection) -> bool:
    """Read the rest of the body and drop it. Whether the connection may go on behind it."""
    await asyncio.sleep(0)  # an upload that was cancelled lets go of the body only now
    if client.state != EXCHANGE:
        return False
    body = client.reader.body
    body.drop()
    client.enter(DRAINING)
    await _linger(client)
    if client.state != DRAINING or not body.is_whole:
        return False
    client.wait_again()
    return True


async def _end(client: ClientConnection) -> None:
    """Close in stages where the client may still be sending, else at once."""
    reader = client.reader
    if not reader.is_read and client.state in (EXCHANGE, DRAINING):
        if client.state == EXCHANGE:
            client.enter(DRAINING)
        reader.body.drop()
        reader.stop()
        with suppress(OSError):  # asyncio: reset already, as `lost` is about to say
            client.finish()
            await _linger(client)
    client.close()


async def _linger(client: ClientConnection) -> None:
    """Read and drop, until the body has come, the client is gone, or it is enough."""
    reader = client.reader
    client.intake.dropped = 0
    until = now() + LINGER
    while client.state == DRAINING and client.intake.dropped <= LINGER_BYTES:
        client.resume_reading()
        left = until - now()
        if left <= 0 or (reader.body.is_whole and not reader.is_over):
            return
        await client.waiter.wait(left)
