"""What the client gets: an answer of our own, or the upstream's.

The commit stands here, once for each of the two; what is written after it is body.
"""

from collections.abc import Mapping

from proxy import outcome as o
from proxy.answers import error_body, error_lines
from proxy.client import CLOSE, KEEP, Sent
from proxy.clock import now
from proxy.cors import CorsRule, preflight
from proxy.headers import combine
from proxy.http1 import Head
from proxy.outcome import Outcome, of_status, signal_of
from proxy.passage import Answer, Passage
from proxy.relay import LAST_CHUNK, chunk, relay
from proxy.transport.connection import Connection

_CLOSE_LINE = b"Connection: close\r\n"
_STREAMS = (b"text/event-stream", b"application/x-ndjson")
_UNMEASURED = ("chunked", "close")
_HTTP_1_1 = (1, 1)
_LONGEST_ID = 1024


def refuse(p: Passage, outcome: Outcome, retry_in: float | None = None, extra: bytes = b"") -> Sent:
    """Answer with an outcome of our own; `extra` are further header lines."""
    p.x.outcome = outcome
    status = outcome.status or 502
    p.closing = p.closing or outcome.category == "client" or outcome is o.DRAINING
    body = error_body(outcome, p.x.request_id, retry_in)
    return _own(p, status, error_lines(outcome, len(body), retry_in) + extra, body)


def allow(p: Passage, rule: CorsRule) -> Sent:
    """Answer a preflight in the upstream's place."""
    p.x.outcome = o.COMPLETED
    p.cors = b""
    return _own(p, 204, preflight(rule, p.asked.fields), b"")


def _own(p: Passage, status: int, lines: bytes, body: bytes) -> Sent:
    x = p.x
    keep = p.asked.keep_alive and not p.closing
    lines += p.cors if keep else p.cors + _CLOSE_LINE
    head = p.plan.heads.own_answer(status, x, lines)
    x.status, x.committed = status, now()
    p.client.write(head if p.asked.method == "HEAD" else head + body)  # the commit
    x.bytes_out = len(body)
    return KEEP if keep else CLOSE


async def answer(p: Passage, given: Answer) -> Sent:
    """Give the client the upstream's answer, and its body as it comes."""
    x, head = p.x, given.head
    fields = combine(head.headers)
    x.status = x.upstream_status = head.status
    x.streamed = fields.get(b"content-type", b"").lower().startswith(_STREAMS)
    x.upstream_request_id = _other_id(p, fields)
    if head.status >= 500 and p.route.rule.mask_upstream_errors:
        return _masked(p, head)
    body, is_whole = _body_at_hand(p, given)
    keep = p.asked.keep_alive and not p.closing
    chunked = head.framing in _UNMEASURED and p.asked.version == _HTTP_1_1
    extra = _framing_line(head, fields, chunked=chunked) + p.cors
    written = p.plan.heads.answer(
        head, fields, x, extra if keep else extra + _CLOSE_LINE, cors=p.route.rule.cors is not None
    )
    x.phase, x.committed = "S", now()
    p.client.write(written + _framed(body, is_whole=is_whole) if chunked else written + body)
    x.bytes_out = len(body)
    if body:
        x.first_byte = x.committed - x.started
    broken = None
    if p.connection is not None and not is_whole:
        broken = await _relay(p, p.connection, chunked=chunked)
    return _ended(p, broken, head.status, keep=keep)


async def _relay(p: Passage, connection: Connection, *, chunked: bool) -> Outcome | None:
    return await relay(
        p.x,
        connection,
        p.client,
        p.route.rule.timeouts,
        chunked=chunked,
        on_first=lambda: _probe_succeeded(p),
    )


def _probe_succeeded(p: Passage) -> None:
    """A long answer must not hold the circuit half-open until it ends."""
    if p.x.streamed and p.route.breaker.state(now()) == "half_open":
        p.settle("success", now())


def _ended(p: Passage, broken: Outcome | None, status: int, *, keep: bool) -> Sent:
    p.x.outcome = broken or of_status(status)
    p.settle(broken.signal if broken else signal_of(status), now())
    p.let_go(whole=broken is None)
    if broken is None:
        return KEEP if keep else CLOSE
    p.client.abort()  # half an answer must not look like a whole one
    return CLOSE


def _masked(p: Passage, head: Head) -> Sent:
    x = p.x
    p.settle(signal_of(head.status), now())
    p.let_go(whole=False)
    x.outcome = o.UPSTREAM_ERROR
    body = error_body(o.UPSTREAM_ERROR, x.request_id)
    return _own(p, head.status, error_lines(o.UPSTREAM_ERROR, len(body)), body)


def _body_at_hand(p: Passage, given: Answer) -> tuple[bytes, bool]:
    """What of the body is here already, and whether that is all of it."""
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


def _other_id(p: Passage, fields: Mapping[bytes, bytes]) -> str | None:
    """The upstream's own request ID, where it is not ours; cut by whoever records it."""
    theirs = fields.get(p.plan.heads.id_key)
    if theirs is None or theirs == p.x.request_id.encode():
        return None
    return theirs[:_LONGEST_ID].decode("latin-1")
