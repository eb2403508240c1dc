"""The commit of a tunnel: the 101 goes to the client, and from there on it is no longer HTTP."""

from collections.abc import Mapping

from proxy.clock import now
from proxy.context import Context
from proxy.http.framing import ResponseHead
from proxy.upstream.connection import Connection
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
    written = ctx.plan.heads.answer(head, fields, x, lines + ctx.cors, cors=rule.cors is not None)
    x.streamed, x.phase, x.committed = True, "S", now()
    ctx.client.write(written)  # the commit
    if ctx.route.breaker.state(x.committed) == "half_open":
        ctx.settle("success", x.committed)  # a quiet tunnel must not hold the circuit half-open
    tunnel = Tunnel(x, rule.timeouts, ctx.client, connection, lambda: ctx.settle("success", now()))
    try:
        x.outcome = await tunnel.run()
    finally:
        x.upstream_wait += now() - x.committed
    ctx.settle(x.outcome.signal, now())
    ctx.let_go(whole=False)
    return False
