"""The commit: the head of the upstream's answer goes to the client, and its body after it.

The commit point is one line in `answer`; after it nothing is retried and no status changes.
"""

from collections.abc import Mapping

from proxy import outcome as o
from proxy.clock import now, wall
from proxy.context import Answer, Passage
from proxy.http.cors import timing_grant, with_exposed
from proxy.http.framing import Head
from proxy.http.headers import combine
from proxy.http.identity import other_ids
from proxy.http.rules import CorsRule
from proxy.masking import is_to_be_masked
from proxy.outcome import Outcome, of_status, signal_of
from proxy.own_response import CLOSE_LINE, mask
from proxy.relay import LAST_CHUNK, chunk, relay
from proxy.resilience.retry_after import rest_asked
from proxy.streams.recognition import framing_for, is_sse, is_stream
from proxy.streams.relay import EventStream
from proxy.upstream.connection import Connection
from proxy.websocket.upgrade import switch

_UNMEASURED = ("chunked", "close")
_HTTP_1_1 = (1, 1)


async def answer(p: Passage, given: Answer) -> bool:
    """Give the client the upstream's answer, and its body as it comes.

    Whether the client's connection may carry another exchange.
    """
    x, head, rule = p.x, given.head, p.route.rule
    fields = combine(head.headers)
    x.status = x.upstream_status = head.status
    if ids := other_ids(fields, p.plan.other_ids, x.request_id):
        x.upstream_ids, x.upstream_request_id = ids, next(iter(ids.values()))
    if head.status == 101 and p.connection is not None:
        return await switch(p, p.connection, head, fields)
    if head.status >= 500 and await is_to_be_masked(p, given, fields):
        return _masked(p, head, fields)
    chunked = head.framing in _UNMEASURED and p.asked.version == _HTTP_1_1
    stream = None if given.is_whole else given.stream or open_stream(p, head, fields)
    body, is_whole = _body_at_hand(p, given, stream)
    keep = p.keeps_alive
    extra = _framing_line(head, fields, chunked=chunked) + _cors(p, rule.cors, fields)
    if p.plan.proxy_status.on_all:
        extra += p.plan.proxy_status.received(head.status)
    if rule.server_timing:
        extra += _timing(p, rule.cors)
    if x.streamed and rule.stream.unbuffered:
        extra += _unbuffered(fields)
    if stream is not None:
        _prepare(p, stream, head, chunked=chunked)
    written = p.plan.heads.answer(
        head, fields, x, extra if keep else extra + CLOSE_LINE, cors=rule.cors is not None
    )
    x.phase, x.committed = "S", now()
    # the commit
    p.client.write(written + _framed(body, is_whole=is_whole) if chunked else written + body)
    x.bytes_out = len(body)
    broken = None
    if p.connection is not None and not is_whole:
        broken = await _relay(p, p.connection, stream, chunked=chunked)
    return _ended(p, broken, head.status, keep=keep)


def open_stream(p: Passage, head: Head, fields: Mapping[bytes, bytes]) -> EventStream | None:
    """The answer as a stream of events; None where it is none, or its events cannot be seen."""
    kind = fields.get(b"content-type")
    if kind is None or head.framing == "none" or not is_stream(kind):
        return None
    p.x.streamed = True
    framing = framing_for(kind, fields.get(b"content-encoding"))
    if framing is None:
        p.x.is_raw = True
        return None
    rule = p.route.rule
    return EventStream(p.x, framing, rule.stream, rule.timeouts, p.plan.watcher)


def _prepare(p: Passage, stream: EventStream, head: Head, *, chunked: bool) -> None:
    stream.chunked = chunked
    if p.plan.proxy_status.on_all:
        stream.status = p.plan.proxy_status
    stream.can_tell = head.framing in _UNMEASURED
    stream.on_first = lambda: _probe_succeeded(p)
    p.stream = stream
    if p.x.first_event is not None:
        _probe_succeeded(p)
    p.client.outlives_client = p.route.rule.stream.finish_on_disconnect


def _probe_succeeded(p: Passage) -> None:
    """A long answer must not hold the circuit half-open until it ends."""
    if p.route.breaker.state(now()) == "half_open":
        p.settle("success", now())


async def _relay(
    p: Passage, connection: Connection, stream: EventStream | None, *, chunked: bool
) -> Outcome | None:
    if stream is not None:
        return await stream.relay(connection, p.client)
    return await relay(p.x, connection, p.client, p.route.rule.timeouts, chunked=chunked)


def _ended(p: Passage, broken: Outcome | None, status: int, *, keep: bool) -> bool:
    left = p.client.gone_at is not None  # and the upstream was let finish
    p.x.outcome = broken or (o.CLIENT_CLOSED_STREAM if left else of_status(status))
    p.settle(broken.signal if broken else signal_of(status), now())
    p.let_go(whole=broken is None)
    if broken is None:
        return keep and p.keeps_alive
    break_off(p, broken)
    return False


def break_off(p: Passage, outcome: Outcome) -> None:
    """End an answer that has begun: in its own words where it has any."""
    is_here = p.client.gone_at is None
    if is_here and (p.stream is None or not p.stream.tell(outcome, p.client)):
        # half an answer must not look like a whole one: in HTTP/1.0 an end may be all there is
        p.client.abort(reset=p.asked.version != _HTTP_1_1)


def _masked(p: Passage, head: Head, fields: Mapping[bytes, bytes]) -> bool:
    p.settle(signal_of(head.status), now())
    p.let_go(whole=False)
    return mask(p, head.status, rest_asked(head.headers, wall()), fields.get(b"proxy-status"))


def _body_at_hand(p: Passage, given: Answer, stream: EventStream | None) -> tuple[bytes, bool]:
    """What of the body can go out with the head, and whether that is all of it."""
    if stream is not None:
        return stream.held, False
    if given.is_whole or p.connection is None:
        return given.body, True
    if p.connection.is_done:
        return given.body + p.connection.take_buffered(), True
    return given.body, False


def _framed(body: bytes, *, is_whole: bool) -> bytes:
    framed = chunk(body) if body else b""
    return framed + LAST_CHUNK if is_whole else framed


def _framing_line(head: Head, fields: Mapping[bytes, bytes], *, chunked: bool) -> bytes:
    if head.length is not None:
        return b"Content-Length: %d\r\n" % head.length
    if chunked:
        return b"Transfer-Encoding: chunked\r\n"
    if head.framing == "none" and head.status != 204:  # HEAD and 304 announce what they do not send
        announced = fields.get(b"content-length")
        return b"Content-Length: %b\r\n" % announced if announced else b""
    return b""


def _cors(p: Passage, rule: CorsRule | None, fields: Mapping[bytes, bytes]) -> bytes:
    theirs = fields.get(b"access-control-expose-headers") if rule is not None else None
    return with_exposed(p.cors, theirs) if theirs else p.cors


def _timing(p: Passage, rule: CorsRule | None) -> bytes:
    """What it took up to here, in milliseconds (W3C Server Timing)."""
    x = p.x
    ours = now() - x.started - x.upstream_wait - x.client_wait
    timing = (1000 * x.upstream_wait, 1000 * max(0.0, ours))
    line = b"Server-Timing: upstream;dur=%.1f, proxy;dur=%.1f\r\n" % timing
    return line if rule is None else line + timing_grant(rule, p.asked.fields.get(b"origin"))


def _unbuffered(fields: Mapping[bytes, bytes]) -> bytes:
    """Ask the next proxy not to hold events back, compressed or not."""
    if not is_sse(fields.get(b"content-type")):
        return b""
    lines = b"" if b"x-accel-buffering" in fields else b"X-Accel-Buffering: no\r\n"
    return lines if b"cache-control" in fields else lines + b"Cache-Control: no-cache\r\n"
