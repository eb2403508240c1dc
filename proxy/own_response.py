"""Sends the responses that Sidelight makes itself: refusals, failures, preflights.

Each says whether the client's connection may carry another exchange.
"""

from proxy import outcome as o
from proxy.context import Context
from proxy.http.cors import may_read, preflight, preflight_asked
from proxy.http.error_response import error_body, error_lines, wants_problem
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
    ctx.closing = ctx.closing or outcome in _LAST or _is_unread(outcome)
    problem = _is_problem(ctx)
    request_id = ctx.exchange.request_id
    body = error_body(outcome, request_id, retry_in, status, number=number, problem=problem)
    lines = error_lines(outcome, len(body), retry_in, problem=problem) + extra
    return _own(
        ctx, status, lines + ctx.plan.proxy_status.error(outcome, ctx.exchange.detail), body
    )


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
    return _own(ctx, 204, preflight(rule, fields) + ctx.plan.proxy_status.plain, b"")


def refuse_preflight(ctx: Context, rule: CorsRule, why: str) -> bool:
    """Grant a preflight nothing, because of the rule that `why` names; a browser wants no more."""
    ctx.end(o.PREFLIGHT_REFUSED, preflight_asked(ctx.asked.fields, why))
    ctx.cors = b"Vary: Origin\r\n" if "*" not in rule.origins else b""
    lines = b"Cache-Control: no-store\r\nX-Sidelight-Error: %b\r\n"
    lines %= o.PREFLIGHT_REFUSED.code.encode()
    return _own(ctx, 204, lines + ctx.plan.proxy_status.error(o.PREFLIGHT_REFUSED), b"")


def _is_problem(ctx: Context) -> bool:
    return ctx.plan.problem_json or wants_problem(ctx.asked.fields.get(b"accept"))


def _own(ctx: Context, status: int, lines: bytes, body: bytes) -> bool:
    x = ctx.exchange
    keep = ctx.keeps_alive
    if x.route and (change := ctx.route.response_headers) is not None:
        lines += change.own_lines.of(x)
    lines += ctx.own_fields + (ctx.cors if keep else ctx.cors + CLOSE_LINE)
    head = ctx.plan.heads.own_answer(status, x, lines)
    ctx.commit(status, head if ctx.asked.method == "HEAD" else head + body)
    x.sent(len(body))
    return keep


def mask(ctx: Context, status: int, retry_in: float | None, earlier: bytes | None) -> bool:
    """Answer an upstream's error with its status and `Retry-After`, but words of our own.

    `earlier` are the members of its `Proxy-Status`.
    """
    ctx.end(o.UPSTREAM_ERROR)
    ctx.exchange.masked, ctx.exchange.retry_in = True, retry_in
    problem = _is_problem(ctx)
    body = error_body(o.UPSTREAM_ERROR, ctx.exchange.request_id, retry_in, status, problem=problem)
    lines = error_lines(o.UPSTREAM_ERROR, len(body), retry_in, problem=problem)
    if earlier:
        lines += b"Proxy-Status: %b\r\n" % earlier
    lines += ctx.plan.proxy_status.received(status, o.UPSTREAM_ERROR.code)
    return _own(ctx, status, lines, body)
