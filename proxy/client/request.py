"""One request of a client with its body, and the error of a request that cannot be served."""

from typing import TYPE_CHECKING

from proxy import outcome as o
from proxy.client.body import Body
from proxy.clock import now
from proxy.http.request_head import RequestHead
from proxy.outcome import Outcome
from proxy.timing.loop_lag import waited

if TYPE_CHECKING:
    from proxy.client.connection import ClientConnection


class RequestError(Exception):
    """The reader, a clock or a limit refused the request or its body.

    `waited` are the seconds for which nothing came, where a clock of the body ran out.
    """

    def __init__(self, outcome: Outcome, detail: str, waited: float | None = None) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail
        self.waited = waited


class Request:
    """A request as it was read, with the body behind it; of a refused one, what could be read."""

    def __init__(self, asked: RequestHead, body: Body, client: "ClientConnection") -> None:
        self.asked = asked
        self.body = body
        self.client = client


async def read_body(request: Request, silence: float) -> bytes:
    """The next bytes of the request's body; empty at its end.

    Raises RequestError when nothing came for `silence` seconds, when the framing is broken, or
    when the client left.
    """
    body, client = request.body, request.client
    began = now()
    if not body.has_news:
        client.resume_reading()
        await client.waiter.wait(silence)
    if body.buffered:
        data = body.take()
        client.resume_reading()
        return data
    if body.is_whole:
        return b""
    if body.failure is not None:
        raise RequestError(body.failure, body.why)
    body.fail(o.REQUEST_TIMEOUT, f"body silent for {silence:g} s")
    raise RequestError(o.REQUEST_TIMEOUT, body.why, waited(began, now()))
