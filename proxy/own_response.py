"""Sends the responses that Sidelight makes itself: refusals, failures, preflights.

Each says whether the client's connection may carry another exchange.
"""

from proxy import outcome as o
from proxy.context import Context
from proxy.fallback.static_answer import StaticAnswer
from proxy.http.accept import prefers_html
from proxy.http.cors import may_read, preflight, preflight_asked
from proxy.http.error_page import HTML, PAGE_LINES, error_page
from proxy.http.error_response import (
    JSON,
    PROBLEM,
    error_body,
    error_lines,
    message_of,
    wants_problem,
)
from proxy.http.rules import CorsRule
from proxy.outcome import Outcome

CLOSE_LINE = b"Connection: close\r\n"

_LAST = (o.DRAINING, o.OVERLOAD_SHED)
"""What is refused because of the connection: kept, it would be refused for ever."""


def refuse(
    ctx: Context,
    outcome: Outcome,
    detail: str | None = None,
    *,
    retry_in: float | None = None,
    number: int | None = None,
    status: int | None = None,
    extra: bytes = b"",
) -> bool:
    """Answer with an outcome of our own; `extra` are further header lines.

    `number` is for the message, `status` another one than the outcome's.
    """
    ctx.end(outcome, detail)
    ctx.exchange.retry_in = retry_in
    status = status or outcome.status or 502
    ctx.closing = ctx.closing or _closes(outcome)
    kind, body = _worded(ctx, outcome, status, retry_in, number)
    lines = error_lines(outcome, len(body), retry_in, kind=kind) + _form_lines(ctx, kind) + extra
    return own_answer(
        ctx, status, lines + ctx.plan.proxy_status.error(outcome, ctx.exchange.detail), body
    )


def refuse_answer(ctx: Context, outcome: Outcome, detail: str) -> bool:
    """Answer in place of what the upstream answered, which cannot be passed on."""
    ctx.exchange.masked = True
    return refuse(ctx, outcome, detail)


def stand_in(ctx: Context, fixed: StaticAnswer, outcome: Outcome, retry_in: float | None) -> bool:
    """Give a fixed answer in place of the one that failed, as the exchange does, by `outcome`."""
    ctx.exchange.retry_in = retry_in
    ctx.closing = ctx.closing or _closes(outcome)
    kind, body = fixed.form(ctx.asked.fields.get(b"accept"))
    lines = error_lines(outcome, len(body), retry_in, kind=kind)
    if fixed.streams:
        lines += b"Vary: Accept\r\n"
    return own_answer(ctx, fixed.status, lines, body)


def _closes(outcome: Outcome) -> bool:
    """Whether the client's connection ends with it."""
    return outcome in _LAST or _is_unread(outcome)


def _is_unread(outcome: Outcome) -> bool:
    """Whether the request was not read to its end, or cannot be trusted to have one."""
    return outcome.category == "client" and outcome not in (o.MESSAGE_EMPTY, o.MESSAGE_TOO_LONG)


def allow(ctx: Context, rule: CorsRule) -> bool:
    """Answer a preflight in the upstream's place."""
    fields = ctx.asked.fields
    if not may_read(rule, fields[b"origin"]):
        return refuse_preflight(ctx, rule, f"cors.origins of the route {ctx.exchange.route}")
    ctx.end(o.COMPLETED)
    ctx.cors = b""
    return own_answer(ctx, 204, preflight(rule, fields) + ctx.plan.proxy_status.plain, b"")


def refuse_preflight(ctx: Context, rule: CorsRule, why: str) -> bool:
    """Grant a preflight nothing, because of the rule that `why` names; a browser wants no more."""
    ctx.end(o.PREFLIGHT_REFUSED, preflight_asked(ctx.asked.fields, why))
    ctx.cors = b"Vary: Origin\r\n" if "*" not in rule.origins else b""
    lines = b"Cache-Control: no-store\r\nX-Sidelight-Error: %b\r\n"
    lines %= o.PREFLIGHT_REFUSED.code.encode()
    return own_answer(ctx, 204, lines + ctx.plan.proxy_status.error(o.PREFLIGHT_REFUSED), b"")


def _worded(
    ctx: Context, outcome: Outcome, status: int, retry_in: float | None, number: int | None = None
) -> tuple[bytes, bytes]:
    """Content type and body of an error, in the form that the client wants."""
    request_id, accept = ctx.exchange.request_id, ctx.asked.fields.get(b"accept")
    if ctx.plan.html_errors and prefers_html(accept):
        message = message_of(outcome, retry_in, number)
        return HTML, error_page(status, message, request_id)
    problem = ctx.plan.problem_json or wants_problem(accept)
    body = error_body(outcome, request_id, retry_in, status, number=number, problem=problem)
    return PROBLEM if problem else JSON, body


def _form_lines(ctx: Context, kind: bytes) -> bytes:
    """What goes with a body whose form depends on `Accept`."""
    if not ctx.plan.html_errors:
        return b""
    return b"Vary: Accept\r\n" + (PAGE_LINES if kind == HTML else b"")


def own_answer(ctx: Context, status: int, lines: bytes, body: bytes) -> bool:
    """Send a whole answer of ours; `lines` are its own header lines."""
    x = ctx.exchange
    keep = ctx.keeps_alive
    if x.route and (change := ctx.route.response_headers) is not None:
        lines += change.own_lines.of(x)
    lines += ctx.own_fields + (ctx.cors if keep else ctx.cors + CLOSE_LINE)
    head = ctx.plan.heads.own_answer(status, x, lines)
    ctx.commit(status, head if ctx.asked.method == "HEAD" else head + body, last=not keep)
    x.sent(len(body))
    return keep


def mask(ctx: Context, status: int, retry_in: float | None, earlier: bytes | None) -> bool:
    """Answer an upstream's error with its status and `Retry-After`, but words of our own.

    `earlier` are the members of its `Proxy-Status`.
    """
    ctx.end(o.UPSTREAM_ERROR)
    ctx.exchange.masked, ctx.exchange.retry_in = True, retry_in
    kind, body = _worded(ctx, o.UPSTREAM_ERROR, status, retry_in)
    lines = error_lines(o.UPSTREAM_ERROR, len(body), retry_in, kind=kind) + _form_lines(ctx, kind)
    if earlier:
        lines += b"Proxy-Status: %b\r\n" % earlier
    lines += ctx.plan.proxy_status.received(status, o.UPSTREAM_ERROR.code)
    return own_answer(ctx, status, lines, body)
