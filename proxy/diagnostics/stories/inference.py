"""What is likely, and what to look at next: told apart from what is proven.

For each runbook what usually lies behind such an end, and the check that decides it. What the
neighbours or the culprits of an exchange say is told instead, because it is about this one.
"""

# ruff: noqa: E501  # the table is read by rows: one runbook, one line

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "Nothing that was recorded points to a cause."
PROVEN: Final = "What is proven is the cause."


@dataclass(frozen=True, slots=True)
class Inference:
    """`likely` is empty where nothing is."""

    likely: str
    check: str


INFERENCES: Final[dict[str, Inference]] = {
    "completed": Inference("It did not fail; at most it was slow.", "If it was slow: see where the time went."),
    "upstream_error": Inference("", "Look for this Reference ID in the log of that endpoint."),
    "bad_request": Inference(PROVEN, "Look at the detail: which client sends that?"),
    "headers_too_large": Inference("Its cookies have grown.", "Look at the size of the cookies of that site."),
    "uri_too_long": Inference("Something that belongs into a body stands in the query.", "Look at what the client puts into its query."),
    "body_too_large": Inference(PROVEN, "Compare what was uploaded with `max_body` of the route."),
    "message_too_long": Inference("The page does not count as the route does.", "Compare the page's own limit with `message.max_length`."),
    "message_empty": Inference("", "Compare `message.pointer` with the JSON that the client sends."),
    "request_timeout": Inference("The client's network is slow, or it was cut off.", "See whether other clients of that network have it as well."),
    "not_implemented": Inference("The client takes Sidelight for a forward proxy.", "Look at the proxy settings of that client."),
    "http_version_not_supported": Inference(PROVEN, "See what stands in front of Sidelight."),
    "route_not_found": Inference(PROVEN, "Compare host and path with the `match` of the route that should have taken it."),
    "method_not_allowed": Inference(PROVEN, "Compare the method with `match.methods` of the route."),
    "preflight_refused": Inference(PROVEN, "Compare what was asked with `cors` of the route."),
    "https_required": Inference("The proxy in front does not say that the client came by https.", "See whether it is in `trusted_proxies` and sends `X-Forwarded-Proto`."),
    "media_type_not_supported": Inference(PROVEN, "Compare the type with `content_types` of the route."),
    "upgrade_not_allowed": Inference("The route was not meant for it, or misses `websocket: true`.", "Look which route the path should have taken."),
    "proxy_loop": Inference("One of the endpoints leads back to Sidelight.", "Look up the addresses of `upstreams.*.endpoints`."),
    "rate_limited": Inference("That client asks again too soon, or several share one limit.", "See whether it is one client or many, and what it asks for."),
    "client_concurrency_limited": Inference("Its page asks again before an answer has ended.", "Look at what that client has under way."),
    "concurrency_limited": Inference("Those that hold the places are slow, or there are more of them than usual.", "Look at the oldest of those that held the places."),
    "queue_timeout": Inference("Those that hold the places are slow, or there are more of them than usual.", "Look at the oldest of those that held the places."),
    "overload_shed": Inference("The process is short of what the detail names: time on its loop, memory, or room for unfinished heads.", "Look at the load of the machine and the memory of the process; for heads, whose connections are open."),
    "pool_timeout": Inference("Those that hold the connections are slow, or streams are many.", "Look at the oldest of those that held the connections."),
    "circuit_open": Inference("What made those attempts fail is the cause.", "Look up the failures that opened it, by their IDs."),
    "circuit_by_hand": Inference("Somebody wants no traffic there for now.", "Ask who opened it, and close it when it is no longer wanted."),
    "upstream_cooling_down": Inference("The upstream has a limit of its own that this traffic meets.", "Compare the traffic of the route with the upstream's limits."),
    "draining": Inference(PROVEN, "Look at `drain_began` in the log: was it meant?"),
    "no_healthy_upstream": Inference("The endpoints are down, or what the health checks ask for fails while they work.", "Ask an endpoint for `health.path` by hand, from where Sidelight runs."),
    "dns_failure": Inference("The name is wrong, or the resolver cannot be reached.", "Run `getent hosts NAME` in the same container."),
    "connect_refused": Inference("No process listens there, or a firewall rejects the connection.", "See whether the process of that endpoint runs, and on which port."),
    "connect_timeout": Inference("Packets are dropped on the way, or its accept queue is full.", "Try to connect to that endpoint from the same container."),
    "tls_failure": Inference("", "Look at the detail: expired, wrong name, or an unknown authority?"),
    "upstream_write_failed": Inference("The upstream does not take bodies of that size, or its process ended.", "Compare the size of the body with the limits of that endpoint."),
    "stale_connection": Inference("The endpoint keeps connections for a shorter time than Sidelight does.", "Compare its keep-alive timeout with `pool.keep_alive`."),
    "upstream_reset": Inference("The process there crashed or was restarted, or something between closed the connection.", "Look at the log of that endpoint at that second for a crash or a restart."),
    "head_timeout": Inference("The endpoint is overloaded, or waits for something itself.", "Compare with what is usual on the route, and look at the load of that endpoint."),
    "upstream_protocol_error": Inference("", "Ask that endpoint directly and look at the bytes of its answer."),
    "upstream_headers_too_large": Inference("Its cookies have grown.", "Ask that endpoint directly and look at the head of its answer."),
    "total_timeout": Inference("", "See which attempt took the time."),
    "first_event_timeout": Inference("The model behind it queues or thinks longer than usual.", "Compare the first events of good streams, and look at the queue of the model."),
    "stream_stalled": Inference("What the upstream waits for is slow, or it is stuck.", "See whether good streams have such gaps, and whether the upstream sends comments while it waits."),
    "body_stalled": Inference("The upstream is stuck in the middle of the answer, or what it reads from is.", "Look at the log of that endpoint for this Reference ID."),
    "event_gap": Inference("The upstream waits for its model and keeps the connection alive by comments.", "See what came instead of events, and how far apart those of good streams are."),
    "stream_truncated": Inference("The process there crashed or was ended, or a timeout of its own cut the answer.", "Look at the log of that endpoint at that second."),
    "stream_reset": Inference("The process there crashed, or something between has an idle timeout.", "Look at the log of that endpoint at that second, and at what stands between."),
    "stream_malformed": Inference("Something rewrites the answer on its way.", "Ask that endpoint directly and compare the bytes."),
    "stream_error": Inference("", "Look for this Reference ID in the log of that endpoint: its error names the cause."),
    "stream_empty": Inference("The upstream had nothing to say, or swallowed an error.", "Look for this Reference ID in the log of that endpoint."),
    "stream_max_duration": Inference("The answer is longer than was thought of, or the client reads slowly.", "Compare with `max_stream`, and see how much of the time was the client's."),
    "response_too_large": Inference("The answer is larger than was thought of, or does not end.", "Ask that endpoint directly, and compare the size with the limit of the route."),
    "drain_cut": Inference(PROVEN, "Compare `drain.limit` with how long usual answers take."),
    "client_closed_request": Inference("Its user gave up, or it has a timeout of its own.", "See after how long this client leaves otherwise, and compare with what is usual."),
    "client_closed_stream": Inference("Its user closed the page or stopped the answer, or it has a timeout of its own.", "See after how long this client leaves otherwise."),
    "client_too_slow": Inference("Its network is slow or gone.", "See whether other clients of that network have it as well."),
    "own_pause": Inference("The machine, or what limits its CPU, kept the process of Sidelight from running.", "See whether its CPU is throttled, its machine was suspended or swaps; `loop_stalled` in the log says when."),
    "no_end_marker": Inference("The upstream ended its answer early, so it is not whole.", "Look for this Reference ID in the log of that endpoint: an error that was swallowed, or a limit of tokens?"),
    "upgrade_refused": Inference("The service has no WebSocket at this path, or wants more for it: a subprotocol, an origin, a login.", "Compare the handshake with one that was answered by 101."),
    "not_readable": Inference("The browser has hidden the answer from its page, as a network error.", "Add that origin to `cors.origins`, as the browser sends it; a page that is not yours needs nothing."),
    "internal_error": Inference(PROVEN, "Look at the error group, and report it."),
}  # fmt: skip
"""By the key of the runbook."""

_SAY_ALL: Final = ("circuit_by_hand", "draining", "drain_cut")
"""Ends of which the cause is proven, whatever others did."""


def infer(
    runbook: str, around: Mapping[str, object], own: Inference | None = None
) -> tuple[str, str]:
    """What is likely, and what to look at next; `own` is what the record itself makes likely."""
    usual = INFERENCES[runbook]
    told = own
    if told is None and runbook not in _SAY_ALL:
        told = _by_culprits(_part(around, "culprits")) or _said(_part(around, "neighbours"))
    if told is None:
        told = usual
    return told.likely or usual.likely or UNKNOWN, told.check or usual.check


def _by_culprits(culprits: Mapping[str, object]) -> Inference | None:
    """Who has what the exchange was refused, or what those have in common that opened a circuit."""
    for name in ("places", "rate_limit"):
        if (said := _said(_part(culprits, name))) is not None:
            return said
    common = _common(_part(_part(culprits, "circuit"), "common"))
    return Inference(common, "") if common else None


def _said(told: Mapping[str, object]) -> Inference | None:
    likely = str(told.get("likely") or "")
    if not likely:
        return None
    return Inference(likely[0].upper() + likely[1:], str(told.get("check") or ""))


def _common(common: Mapping[str, object]) -> str:
    """What the failures that opened a circuit have in common, beside how they ended."""
    told = [
        str(value) if name == "user" else f"{name} {value}"
        for name, value in common.items()
        if name not in ("code", "status")
    ]
    if not told:
        return ""
    return f"It is about what the failures that opened it have in common: {', '.join(told)}."


def _part(view: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = view.get(key)
    return value if isinstance(value, Mapping) else {}
