"""The answers of our own, sent: refusals, failures and preflights.

Each says whether the client's connection may carry another exchange.
"""

from proxy import outcome as o
from proxy.clock import now
from proxy.context import Passage
from proxy.http.cors import may_read, preflight, preflight_asked
from proxy.http.error_response import error_body, error_lines, wants_problem
from proxy.http.rules import CorsRule
from proxy.outcome import Outcome

CLOSE_LINE = b"Connection: close\r\n"

_LAST = (o.DRAINING, o.OVERLOAD_SHED)
"""What is refused because of the connection: kept, it would be refused for ever."""


def refuse(p: Passage, outcome: Outcome, retry_in: float | None = None, extra: bytes = b"") -> bool:
    """Answer with an outcome of our own; `extra` are further header lines."""
    p.x.outcome, p.x.retry_in = outcome, retry_in
    status = outcome.status or 502
    p.closing = p.closing or outcome.category == "client" or outcome in _LAST
    problem = _is_problem(p)
    body = error_body(outcome, p.x.request_id, retry_in, problem=problem)
    lines = error_lines(outcome, len(body), retry_in, problem=problem) + extra
    return _own(p, status, lines + p.plan.proxy_status.error(outcome, p.x.detail), body)


def allow(p: Passage, rule: CorsRule) -> bool:
    """Answer a preflight in the upstream's place."""
    fields = p.asked.fields
    if not may_read(rule, fields[b"origin"]):
        return refuse_preflight(p, rule, f"cors.origins of the route {p.x.route}")
    p.x.outcome = o.COMPLETED
    p.cors = b""
    return _own(p, 204, preflight(rule, fields) + p.plan.proxy_status.plain, b"")


def refuse_preflight(p: Passage, rule: CorsRule, why: str) -> bool:
    """Grant a preflight nothing, because of the rule that `why` names; a browser wants no more."""
    p.x.outcome = o.PREFLIGHT_REFUSED
    p.x.detail = preflight_asked(p.asked.fields, why)
    p.cors = b"Vary: Origin\r\n" if "*" not in rule.origins else b""
    lines = b"Cache-Control: no-store\r\nX-Sidelight-Error: %b\r\n"
    lines %= o.PREFLIGHT_REFUSED.code.encode()
    return _own(p, 204, lines + p.plan.proxy_status.error(o.PREFLIGHT_REFUSED), b"")


def _is_problem(p: Passage) -> bool:
    return p.plan.problem_json or wants_problem(p.asked.fields.get(b"accept"))


def _own(p: Passage, status: int, lines: bytes, body: bytes) -> bool:
    x = p.x
    keep = p.keeps_alive
    lines += p.cors if keep else p.cors + CLOSE_LINE
    head = p.plan.heads.own_answer(status, x, lines)
    x.status, x.committed = status, now()
    p.client.write(head if p.asked.method == "HEAD" else head + body)  # the commit
    x.bytes_out = len(body)
    return keep


def mask(p: Passage, status: int, retry_in: float | None, earlier: bytes | None) -> bool:
    """Answer an upstream's error with its status and `Retry-After`, but words of our own.

    `earlier` are the members of its `Proxy-Status`.
    """
    p.x.outcome, p.x.masked, p.x.retry_in = o.UPSTREAM_ERROR, True, retry_in
    problem = _is_problem(p)
    body = error_body(o.UPSTREAM_ERROR, p.x.request_id, retry_in, status, problem=problem)
    lines = error_lines(o.UPSTREAM_ERROR, len(body), retry_in, problem=problem)
    if earlier:
        lines += b"Proxy-Status: %b\r\n" % earlier
    lines += p.plan.proxy_status.received(status, o.UPSTREAM_ERROR.code)
    return _own(p, status, lines, body)
