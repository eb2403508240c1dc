"""What the end of a connection means for the exchange that has it: the failure its reader is given.

Gathers what the parts of the connection know of it; `ending` decides who is to blame.
"""

import ssl

from proxy import outcome as o
from proxy.upstream.delivery import Delivery
from proxy.upstream.ending import GAVE_UP, Ending
from proxy.upstream.request_writer import RequestWriter
from proxy.upstream.rescue import ends_with_alert, is_closed_in_order, unread
from proxy.upstream.response_reader import ResponseReader


def conclude_awaited(reader: ResponseReader, ending: Ending, detail: str) -> None:
    """The connection ended before the head of a response."""
    outcome = ending.outcome
    reader.fail(outcome, GAVE_UP if outcome is o.REQUEST_TIMEOUT else detail)


def conclude_body(
    reader: ResponseReader, tls: ssl.SSLObject | None, detail: str, *, was_reset: bool
) -> None:
    """It ended within the body of one."""
    if was_reset:
        reader.fail(o.STREAM_RESET, detail)
    elif reader.framing.kind == "close" and tls is not None and not is_closed_in_order(tls):
        reader.fail(o.STREAM_TRUNCATED, "the TLS connection ended without close_notify")
    elif not reader.end():
        reader.fail(o.STREAM_TRUNCATED, detail)


def conclude_tls(
    reader: ResponseReader, delivery: Delivery, exc: Exception, *, reused: bool
) -> None:
    """It broke before a byte of the response: where TLS broke it, that is the failure."""
    if isinstance(exc, ssl.SSLError):
        reader.fail(o.TLS_FAILURE, str(exc))
    elif not reused and ends_with_alert(b"".join(unread(delivery.socket))):
        reader.fail(o.TLS_FAILURE, "refused by a TLS alert: no client certificate?")


def ending_of(
    reader: ResponseReader,
    writer: RequestWriter,
    delivery: Delivery,
    *,
    in_order: bool,
    reused: bool,
) -> Ending:
    """What is known of an end before the head of a response."""
    return Ending(
        arrival=delivery.arrival() if writer.bytes_sent else "unsent",
        in_order=in_order,
        silence=writer.silence,
        has_idled=reused and not reader.has_begun and not writer.was_read,
        has_unsent=writer.has_unsent,
        is_uploading=writer.is_uploading,
        is_behind=writer.is_paused or delivery.is_behind(writer.bytes_sent),
    )
