"""The upstream's answer: its head goes to the client, which is the commit, and its body after it.

After `ctx.commit` nothing is retried and no status changes.
"""

from collections.abc import Mapping

from proxy import outcome as o
from proxy.clock import now, wall
from proxy.context import Context
from proxy.evidence.gather import gather_body, gather_switch
from proxy.exchange import Exchange
from proxy.http.cors import timing_grant, with_exposed
from proxy.http.framing import ResponseHead
from proxy.http.header_changes import HeaderChange
from proxy.http.identity import other_ids
from proxy.http.rules import CorsRule
from proxy.limits.response_size import is_too_large
from proxy.masking import is_to_be_masked
from proxy.outcome import Outcome, of_status, signal_of
from proxy.own_response import CLOSE_LINE, mask, refuse_answer
from proxy.relay import LAST_CHUNK, BodySource, chunk, relay
from proxy.resilience.retry_after import rest_asked
from proxy.streams.recognition import framing_for, is_sse
from proxy.streams.relay import EventStream
from proxy.streams.upstream_response import UpstreamResponse
from proxy.upstream.bounded_body import bounded
from proxy.websocket.upgrade import switch

_UNMEASURED = ("chunked", "close")
_HTTP_1_1 = (1, 1)
_NO_SUCCESS = 300
"""The lowest status that is no 2xx any more; a 1xx is no answer."""


async def answer(ctx: Context, given: UpstreamResponse) -> bool:
    """Give the client the upstream's answer, and its body as it comes.

    Whether the client's connection may carry another exchange.
    """
    x, head, terms = ctx.exchange, given.head, ctx.route.terms
    fields = head.fields
    note_head(ctx, head, fields)
    if ctx.asked.wants_websocket:
        gather_switch(x, fields)
    if head.status == 101 and ctx.connection is not None:
        return await switch(ctx, ctx.connection, head, fields)
    if head.status >= 500 and await is_to_be_masked(ctx, given, fields):
        return _masked(ctx, head, fields)
    chunked = head.framing in _UNMEASURED and ctx.asked.version == _HTTP_1_1
    stream = None if given.is_whole else given.stream or open_stream(ctx, head, fields)
    body, is_whole = _body_at_hand(ctx, given, stream)
    if terms.max_response is not None and is_too_large(head, terms.max_response, len(body)):
        return _refuse_size(ctx, head)
    keep = ctx.keeps_alive
    extra = _framing_line(head, fields, chunked=chunked) + _cors(ctx, fields)
    extra += ctx.own_fields + _by_option(ctx, head, fields)
    if stream is not None:
        _prepare(ctx, stream, head, chunked=chunked)
    written = ctx.plan.heads.answer(
        head,
        fields,
        x,
        extra if keep else extra + CLOSE_LINE,
        cors=terms.cors is not None,
        change=ctx.route.response_headers,
    )
    at_hand = _framed(body, is_whole=is_whole) if chunked else body
    ctx.commit(head.status, written + at_hand, last=is_whole and not keep)
    x.sent(len(body))
    if _has_begun(x, stream) if stream is not None else body or is_whole:
        _probe_succeeded(ctx, head.status)
    broken = None
    if ctx.connection is not None and not is_whole:
        read = len(body) + (stream.framing.held if stream is not None else 0)
        source = bounded(ctx.connection, terms.max_response, read)
        broken = await _relay(ctx, source, stream, chunked=chunked)
    return _ended(ctx, broken, head.status, keep=keep)


def note_head(ctx: Context, head: ResponseHead, fields: Mapping[bytes, bytes]) -> None:
    """Record what the upstream answered; the answer of a fallback is not its own."""
    x = ctx.exchange
    if x.fallback is not None and x.fallback.given:
        return
    x.upstream_status = head.status
    if ids := other_ids(fields, ctx.plan.other_ids, x.request_id):
        x.upstream_ids, x.upstream_request_id = ids, next(iter(ids.values()))


def _by_option(ctx: Context, head: ResponseHead, fields: Mapping[bytes, bytes]) -> bytes:
    """Header lines that the settings ask for."""
    x, rule, lines = ctx.exchange, ctx.route.rule, b""
    if ctx.plan.proxy_status.on_all and (x.fallback is None or not x.fallback.given):
        lines += ctx.plan.proxy_status.received(head.status)
    if ctx.route.terms.server_timing:
        lines += _timing(ctx, rule.cors)
    if x.streamed and rule.stream.unbuffered:
        lines += _unbuffered(fields, ctx.route.response_headers)
    return lines


def _refuse_size(ctx: Context, head: ResponseHead) -> bool:
    ctx.settle("neutral", now())
    ctx.let_go(whole=False)
    ctx.exchange.forget_stream()
    size = "it was read before its head went out" if head.length is None else f"{head.length} bytes"
    return refuse_answer(ctx, o.RESPONSE_TOO_LARGE, size)


def _has_begun(x: Exchange, stream: EventStream) -> bool:
    """Whether the first event has come before the commit, and was no error."""
    return x.first_event is not None and stream.verdict.error is None


def open_stream(
    ctx: Context, head: ResponseHead, fields: Mapping[bytes, bytes]
) -> EventStream | None:
    """The answer as a stream; None where it is none."""
    kind = fields.get(b"content-type")
    if kind is None or head.framing == "none":
        return None
    types, coding = ctx.route.terms.stream_types, fields.get(b"content-encoding")
    framing = framing_for(kind, coding, types)
    if framing is None:
        return None
    rule = ctx.route.rule
    ctx.exchange.begin_stream(is_raw=framing.is_raw, coding=coding)
    stream = EventStream(ctx.exchange, framing, rule.stream, rule.timeouts, ctx.plan.watcher)
    stream.verdict.is_success = head.status < _NO_SUCCESS
    return stream


def _prepare(ctx: Context, stream: EventStream, head: ResponseHead, *, chunked: bool) -> None:
    stream.chunked = chunked
    if ctx.plan.proxy_status.on_all:
        stream.status = ctx.plan.proxy_status
    stream.can_tell = head.framing in _UNMEASURED
    stream.on_first = lambda: _probe_succeeded(ctx, head.status)
    ctx.stream = stream
    ctx.client.outlives_client = ctx.route.rule.stream.finish_on_disconnect


def _probe_succeeded(ctx: Context, status: int) -> None:
    """The first byte of the body has come: neither a long answer nor a slow reader may hold the
    circuit half-open until it ends."""
    breaker = ctx.route.breaker
    if breaker.opening is not None and status < _NO_SUCCESS and breaker.state(now()) == "half_open":
        ctx.settle("success", now())


async def _relay(
    ctx: Context, source: BodySource, stream: EventStream | None, *, chunked: bool
) -> Outcome | None:
    if stream is not None:
        return await stream.relay(source, ctx.client.output)
    return await relay(
        ctx.exchange,
        source,
        ctx.client.output,
        ctx.route.rule.timeouts,
        chunked=chunked,
        on_first=lambda: _probe_succeeded(ctx, ctx.exchange.status or 0),
    )


def _ended(ctx: Context, broken: Outcome | None, status: int, *, keep: bool) -> bool:
    left = ctx.client.gone_at is not None  # and the upstream was let finish
    ended = broken or (ctx.stream.ended_as if ctx.stream else None)
    own = o.CLIENT_CLOSED_STREAM if left and not broken else ended
    ctx.end(own or of_status(status))
    ctx.settle(ended.signal if ended else signal_of(status), now())
    if broken is not None and ctx.connection is not None:
        gather_body(ctx.exchange, ctx.connection)
    ctx.let_go(whole=broken is None)
    if broken is None:
        return keep and ctx.keeps_alive
    break_off(ctx, broken)
    return False


def break_off(ctx: Context, outcome: Outcome) -> None:
    """End an answer that has begun: in its own words where it has any."""
    is_here = ctx.client.gone_at is None
    if is_here and (ctx.stream is None or not ctx.stream.tell(outcome, ctx.client.output)):
        # half an answer must not look like a whole one: in HTTP/1.0 an end may be all there is
        ctx.client.abort(reset=ctx.asked.version != _HTTP_1_1)


def _masked(ctx: Context, head: ResponseHead, fields: Mapping[bytes, bytes]) -> bool:
    ctx.settle(signal_of(head.status), now())
    ctx.let_go(whole=False)
    return mask(ctx, head.status, rest_asked(head.headers, wall()), fields.get(b"proxy-status"))


def _body_at_hand(
    ctx: Context, given: UpstreamResponse, stream: EventStream | None
) -> tuple[bytes, bool]:
    """What of the body can go out with the head, and whether that is all of it."""
    if stream is not None:
        return stream.held, False
    if given.is_whole or ctx.connection is None:
        return given.body, True
    if ctx.connection.is_done:
        buffered = ctx.connection.take_buffered()
        return given.body + buffered if given.body else buffered, True
    return given.body, False


def _framed(body: bytes, *, is_whole: bool) -> bytes:
    framed = chunk(body) if body else b""
    return framed + LAST_CHUNK if is_whole else framed


def _framing_line(head: ResponseHead, fields: Mapping[bytes, bytes], *, chunked: bool) -> bytes:
    if head.length is not None:
        return b"Content-Length: %d\r\n" % head.length
    if chunked:
        return b"Transfer-Encoding: chunked\r\n"
    if head.framing == "none" and head.status != 204:  # HEAD and 304 announce what they do not send
        announced = fields.get(b"content-length")
        return b"Content-Length: %b\r\n" % announced if announced else b""
    return b""


def _cors(ctx: Context, fields: Mapping[bytes, bytes]) -> bytes:
    theirs = fields.get(b"access-control-expose-headers") if ctx.cors else None
    return with_exposed(ctx.cors, theirs) if theirs else ctx.cors


def _timing(ctx: Context, rule: CorsRule | None) -> bytes:
    """What it took up to here, in milliseconds (W3C Server Timing)."""
    x = ctx.exchange
    ours = now() - x.started - x.spent.upstream_wait - x.spent.client
    timing = (1000 * x.spent.upstream_wait, 1000 * max(0.0, ours))
    line = b"Server-Timing: upstream;dur=%.1f, proxy;dur=%.1f\r\n" % timing
    return line if rule is None else line + timing_grant(rule, ctx.asked.fields.get(b"origin"))


def _unbuffered(fields: Mapping[bytes, bytes], change: HeaderChange | None) -> bytes:
    """Ask the next proxy not to hold a stream back (draft-ietf-httpbis-incremental)."""
    given = fields.keys() if change is None else fields.keys() | change.names
    lines = b"" if b"x-accel-buffering" in given else b"X-Accel-Buffering: no\r\n"
    if b"incremental" not in given:
        lines += b"Incremental: ?1\r\n"
    if b"cache-control" in given or not is_sse(fields.get(b"content-type")):
        return lines
    return lines + b"Cache-Control: no-cache\r\n"
