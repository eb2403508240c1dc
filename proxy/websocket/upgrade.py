"""The commit of a tunnel: the 101 goes to the client, and from there on it is no longer HTTP."""

from collections.abc import Mapping

from proxy.clock import now
from proxy.context import Passage
from proxy.http.framing import Head
from proxy.upstream.connection import Connection
from proxy.websocket.tunnel import Tunnel


async def switch(
    p: Passage, connection: Connection, head: Head, fields: Mapping[bytes, bytes]
) -> bool:
    """Give the client the 101, and pass bytes both ways until the tunnel ends; then so does the
    client's connection."""
    x, rule = p.x, p.route.rule
    lines = b"Connection: Upgrade\r\nUpgrade: %b\r\n" % fields[b"upgrade"]
    if p.plan.proxy_status.on_all:
        lines += p.plan.proxy_status.received(head.status)
    written = p.plan.heads.answer(head, fields, x, lines + p.cors, cors=rule.cors is not None)
    x.streamed, x.phase, x.committed = True, "S", now()
    p.client.write(written)  # the commit
    if p.route.breaker.state(x.committed) == "half_open":
        p.settle("success", x.committed)  # a quiet tunnel must not hold the circuit half-open
    tunnel = Tunnel(x, rule.timeouts, p.client, connection, lambda: p.settle("success", now()))
    try:
        x.outcome = await tunnel.run()
    finally:
        x.upstream_wait += now() - x.committed
    p.settle(x.outcome.signal, now())
    p.let_go(whole=False)
    return False
