"""The commit of a tunnel: the 101 goes to the client, and from there on it is no longer HTTP."""

from collections.abc import Mapping

from proxy.client.switched import SwitchedClient
from proxy.clock import now
from proxy.context import Context
from proxy.http.framing import ResponseHead
from proxy.time_spent import UPSTREAM
from proxy.upstream.connection import Connection
from proxy.upstream.switched import SwitchedEndpoint
from proxy.websocket.tunnel import Tunnel


async def switch(
    ctx: Context, connection: Connection, head: ResponseHead, fields: Mapping[bytes, bytes]
) -> bool:
    """Give the client the 101, and pass bytes both ways until the tunnel ends; then so does the
    client's connection."""
    x, rule = ctx.exchange, ctx.route.rule
    lines = b"Connection: Upgrade\r\nUpgrade: %b\r\n" % fields[b"upgrade"]
    if ctx.plan.proxy_status.on_all:
        lines += ctx.plan.proxy_status.received(head.status)
    lines += ctx.own_fields + ctx.cors
    written = ctx.plan.heads.answer(
        head, fields, x, lines, cors=rule.cors is not None, change=ctx.route.response_headers
    )
    x.begin_stream()
    ctx.commit(head.status, written)
    at = now()
    if ctx.route.breaker.state(at) == "half_open":
        ctx.settle("success", at)  # a quiet tunnel must not hold the circuit half-open
    sides = SwitchedClient(ctx.client), SwitchedEndpoint(connection)
    tunnel = Tunnel(x, rule.timeouts, *sides, lambda: ctx.settle("success", now()))
    before = x.spent.enter(UPSTREAM, at)
    try:
        outcome = await tunnel.run()
    finally:
        x.spent.enter(before, now())
    ctx.end(outcome)
    ctx.settle(outcome.signal, now())
    ctx.let_go(whole=False)
    return False
