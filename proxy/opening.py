"""Opens an exchange: its record with request ID, trace, client address and custom fields."""

from proxy.client.request import Request
from proxy.client.source import ClientSource
from proxy.clock import now, wall
from proxy.context import Context, Plan
from proxy.drain import Drain
from proxy.exchange import Exchange
from proxy.http.forwarding import addresses_told, is_https
from proxy.http.headers import LONGEST_HOST
from proxy.http.identity import identify, trace_place
from proxy.http.peer import Peer
from proxy.http.request_head import RequestHead
from proxy.http.rules import IdentityRule

_UNREAD = RequestHead("", "", b"", (1, 1), (), {}, keep_alive=False, has_body=False, length=None)


def open_exchange(plan: Plan, drain: Drain, request: Request) -> Context:
    """Begin the record of a request whose head was read."""
    ctx = begin(plan, drain, request, request.asked)
    if plan.fields is not None:
        ctx.exchange.fields = plan.fields(request.asked)
    return ctx


def open_refused(plan: Plan, drain: Drain, request: Request) -> Context:
    """Begin the record of a request that was refused while it was read: with what was read."""
    return begin(plan, drain, request, request.asked)


def open_unread(plan: Plan, drain: Drain, request: Request) -> Context:
    """Begin the record of a request that a fault of ours keeps from being read."""
    return begin(plan, drain, request, _UNREAD)


def _protocol(peer: Peer, asked: RequestHead) -> str:
    """As spans have it."""
    scheme = "https" if is_https(peer.scheme, asked.fields if peer.trusted else None) else "http"
    if asked.version == (1, 1):
        return scheme
    return f"{scheme} {asked.version[0]}.{asked.version[1]}"


def _is_kept(rule: IdentityRule, source: ClientSource) -> bool:
    """Whether this client chooses the IDs of its requests."""
    return rule.mode == "preserve" or (rule.mode == "trust_from" and source.id_trusted)


def begin(plan: Plan, drain: Drain, request: Request, asked: RequestHead) -> Context:
    at = now()
    client, fields = request.client, asked.fields
    given = fields.get(plan.heads.id_key)
    kept = given is not None and _is_kept(plan.identity, client.source)
    request_id, replaced = identify(given, kept=kept)
    client_ip = client.source.origin(addresses_told(fields) if client.source.peer.trusted else None)
    x = Exchange(at, wall(), asked.method, asked.target, client_ip)
    x.config_hash = plan.config_hash
    x.request_id, x.client_request_id = request_id, replaced
    x.id_is_ours = given is None or replaced is not None
    if plan.sampler is not None:
        x.span = plan.sampler.begin(x, fields, _protocol(client.source.peer, asked))
    elif b"traceparent" in fields:
        x.trace(trace_place(fields[b"traceparent"]))
    x.user_agent = fields.get(b"user-agent", b"").decode("latin-1")
    x.client_cert = client.source.peer.client_cert
    x.host = asked.host[: LONGEST_HOST + 1].decode("latin-1")  # a longer one is refused
    return Context(plan, x, asked, request, drain)
