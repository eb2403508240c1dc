"""One request of a client with its body, and what makes an end of it before it is an exchange."""

from typing import TYPE_CHECKING, Any

from aiohttp import StreamReader
from aiohttp.http_exceptions import HttpProcessingError

from proxy import outcome as o
from proxy.outcome import Outcome

if TYPE_CHECKING:
    from proxy.client import Client


class RequestError(Exception):
    """The parser, a clock or a limit refused the request or its body."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


class Request:
    """A parsed head with the body behind it."""

    __slots__ = ("body", "client", "message")

    def __init__(self, message: Any, body: StreamReader, client: "Client") -> None:
        self.message = message
        self.body = body
        self.client = client

    def _cancel(self, error: BaseException) -> None:
        """aiohttp's hook: the connection is lost, nobody may wait for the body any longer."""
        self.body.set_exception(error)


async def read_body(request: Request, silence: float) -> bytes:
    """The next bytes of the request's body; empty at its end.

    Raises RequestError when nothing came for `silence` seconds or the body's framing is broken.
    """
    body = request.body
    late = RequestError(o.REQUEST_TIMEOUT, "body silent")
    timer = request.client.loop.call_later(silence, body.set_exception, late)
    try:
        return bytes(await body.readany())
    except HttpProcessingError as error:
        raise RequestError(o.BAD_REQUEST, f"broken body: {type(error).__name__}") from None
    except ConnectionError:
        # the task is about to be cancelled; until then there is nothing to read
        raise RequestError(o.CLIENT_CLOSED_REQUEST, "client left while sending") from None
    finally:
        timer.cancel()
