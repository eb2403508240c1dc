"""One request of a client with its body, and the error of a request that cannot be served."""

from typing import TYPE_CHECKING

from proxy import outcome as o
from proxy.client.body import Body
from proxy.clock import now
from proxy.http.request_head import RequestHead
from proxy.outcome import Outcome
from proxy.timing.loop_lag import waited
from proxy.timing.upload_clocks import UploadClocks

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


async def read_body(request: Request, clocks: UploadClocks) -> bytes:
    """The next bytes of the request's body; empty at its end.

    Raises RequestError when one of the clocks has run out, when the framing is broken, or when
    the client left.
    """
    body, client = request.body, request.client
    while not body.has_news:
        began = now()
        client.resume_reading()
        await client.waiter.wait(clocks.patience())
        clocks.count(waited(began, now()), 0)
        if not body.has_news and (over := clocks.expired()):
            body.fail(o.REQUEST_TIMEOUT, over.detail)
            raise RequestError(o.REQUEST_TIMEOUT, over.detail, over.ran)
    if body.buffered:
        data = body.take()
        clocks.count(0.0, len(data))
        client.resume_reading()
        return data
    if body.failure is not None and not body.is_whole:
        raise RequestError(body.failure, body.why)
    return b""
