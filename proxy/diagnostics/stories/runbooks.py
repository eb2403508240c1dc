"""Runbooks: for every way to end, and every alert, the cause, what to check and what to do.

One table is the source of the page `docs/runbooks/README.md`, of `/api/codes/{code}` and of the
links in alerts; `python -m proxy.diagnostics.stories.runbooks` prints the page.
"""

# ruff: noqa: E501  # prose, read by paragraphs

from typing import Final

from proxy.diagnostics.stories.alert_runbooks import ALERTS, MONITORING
from proxy.diagnostics.stories.circumstance_runbooks import CIRCUMSTANCES
from proxy.diagnostics.stories.runbook import Runbook

CODES: Final[dict[str, Runbook]] = {
    "completed": Runbook(
        "The answer was passed on whole, with a status below 400.",
        ("Its story: the attempts and the times.",),
        ("Nothing to do.",),
    ),
    "upstream_error": Runbook(
        "The upstream itself answered 4xx or 5xx, and that was passed on (or masked, where the route says so).",
        ("`upstream_status`, and the upstream's log for this request ID.",),
        ("Mend the upstream; many 502 to 504 of one endpoint: see `endpoint`.",),
    ),
    "bad_request": Runbook(
        "The request breaks HTTP: a bad header, host or target, two lengths, faulty chunks.",
        ("`detail`, `user_agent`, `client_ip`: one client or many?",),
        ("Mend that client; from a scanner: nothing.",),
    ),
    "headers_too_large": Runbook(
        "One header, their number, or all of them together are over the limit.",
        ("Whether cookies have grown.",),
        (
            "Shorten them, or raise `listen.header_bytes`, `listen.head_bytes` or `listen.header_count`.",
        ),
    ),
    "uri_too_long": Runbook(
        "The request line is over `listen.uri_bytes`.",
        ("`user_agent`, and what the client puts into its query.",),
        ("Move it into a body, or raise the limit.",),
    ),
    "body_too_large": Runbook(
        "The body is over the route's `max_body`.",
        ("`bytes_in`, and what was uploaded.",),
        ("Raise `max_body` where such bodies are wanted.",),
    ),
    "message_too_long": Runbook(
        "The text at `message.pointer` is longer than `message.max_length`.",
        ("`detail`: how long it was.", "Whether the page counts as the route does: in characters."),
        ("Let the page say the limit while people type, or raise `max_length`.",),
    ),
    "message_empty": Runbook(
        "There is no text at `message.pointer`, or only blanks.",
        ("`detail`: was nothing there, or only blanks?",),
        ("Nothing there: `message.pointer` and what the client sends do not agree.",),
    ),
    "request_timeout": Runbook(
        "The client began a request and did not finish it: the head within `listen.request_head`; a body silent for `timeouts.request_body_gap`, slower than `timeouts.min_upload_rate` over a minute, or longer than `timeouts.request_body`.",
        (
            "`detail`: which of them, or whether the upstream did not wait for the body.",
            "`client_ip`: one slow network or an attack?",
        ),
        ("Nothing for a few; raise the timeout, or lower `min_upload_rate`, for slow uploads.",),
    ),
    "not_implemented": Runbook(
        "CONNECT, or a transfer coding other than `chunked`.",
        ("`method` and `user_agent`.",),
        ("The client takes Sidelight for a forward proxy: mend its settings.",),
    ),
    "http_version_not_supported": Runbook(
        "The request line names a version other than HTTP/1.0 and HTTP/1.1.",
        ("What stands in front of Sidelight.",),
        ("Make it speak HTTP/1.1.",),
    ),
    "route_not_found": Runbook(
        "No route matches host, path, headers and query.",
        (
            "`path`, and the `match` of the route that should have taken it: `/a` is exact, `/a/` is a prefix.",
            "`detail`: the routes of this path, with the header or parameter that was missing.",
        ),
        ("Add or mend the route.",),
    ),
    "method_not_allowed": Runbook(
        "Routes match the path, none of them the method; `Allow` names what they take.",
        ("`match.methods` of the route.",),
        ("Add the method where it is wanted.",),
    ),
    "preflight_refused": Runbook(
        "A page of another origin asked for leave (CORS) and was granted nothing; its browser then shows a network error.",
        ("`detail` names the rule, and the origin, method and headers that were asked for.",),
        (
            "Add the origin to `cors.origins`, as the browser sends it, or the method to the route's `match.methods`.",
            "From a page that is not yours: nothing.",
        ),
    ),
    "https_required": Runbook(
        "The client came by plain HTTP to a route with `require_https`.",
        (
            "Whether the proxy in front is in `trusted_proxies` and sends `X-Forwarded-Proto: https`.",
        ),
        ("Mend that; from a client that came by HTTP: nothing.",),
    ),
    "media_type_not_supported": Runbook(
        "The body is of a type that the route does not take, or compressed where it is looked into.",
        ("`detail`: the type.", "`content_types` and `message` of the route."),
        ("Add the type where it is wanted, or mend the client.",),
    ),
    "upgrade_not_allowed": Runbook(
        "A WebSocket was asked for, and this route has none.",
        ("`path`: is it the right route?",),
        ("Set `websocket: true` on the route, or let the client use plain HTTP here.",),
    ),
    "proxy_loop": Runbook(
        "The request has passed this very Sidelight before.",
        ("`upstreams.*.endpoints`: one of them leads back here.",),
        ("Point it at the upstream.",),
    ),
    "rate_limited": Runbook(
        "The client asked more often than a `rate_limit` of the route lets it.",
        (
            "`detail`: the limit, the client and the wait. One client or many?",
            "`sidelight_rate_limit_decisions_total` by policy.",
        ),
        (
            "One client: mend it, it should obey `Retry-After`.",
            "Many: raise `rate` or `burst`; `dry_run: true` shows what a limit would refuse.",
        ),
    ),
    "client_concurrency_limited": Runbook(
        "The client has as many requests under way as `concurrency.per_client` of the route lets it.",
        ("`detail`: the client. Does its page ask again before an answer has ended?",),
        ("Let the page wait, or raise `per_client`.",),
    ),
    "concurrency_limited": Runbook(
        "As many requests are under way as `concurrency.limit` of the route or `listen.concurrency` lets in, and the queue is full.",
        ("`sidelight_concurrency_in_use` and `_queue_length` by scope.", "How long answers take."),
        (
            "Mend what is slow, or add instances.",
            "Raise the limit only where the upstream can take more.",
        ),
    ),
    "queue_timeout": Runbook(
        "No place came free within `concurrency.wait`.",
        ("`sidelight_concurrency_in_use` and `_queue_length` by scope.", "How long answers take."),
        ("Mend what is slow, or add instances; a longer wait seldom helps.",),
    ),
    "overload_shed": Runbook(
        "This process has more to do than it can: its event loop runs late, memory is short, or clients send more bytes of unfinished requests than `listen.unread_bytes` holds.",
        (
            "`detail` says which: `overload.loop_lag`, `overload.memory` or `listen.unread_bytes`.",
            "Loop: CPU of the container, throttling, `sidelight_event_loop_lag_seconds`.",
            "Memory: `process_resident_memory_bytes`, and how many streams and connections are open.",
            "Unfinished requests: `client_ip` of these exchanges.",
        ),
        (
            "Add instances, CPU or memory; what is under way is not touched.",
            "Find who sends heads that do not end.",
        ),
    ),
    "pool_timeout": Runbook(
        "No connection to the upstream came free within `timeouts.pool_wait`.",
        ("`sidelight_upstream_connections`: active at the pool's size?",),
        ("The upstream is slow or streams are many: raise `pool.size`, or mend what is slow.",),
    ),
    "circuit_open": Runbook(
        "The breaker refuses attempts, because too many have failed.",
        ("The failures that opened it stand in the story and in the event `breaker_opened`.",),
        ("Mend that; the circuit closes by itself after a good probe.",),
    ),
    "upstream_cooling_down": Runbook(
        "The upstream asked for rest by 429 or `Retry-After`, and the route obeys.",
        ("The upstream's own limits, and the traffic of this route.",),
        ("Send less, or have the limit raised.",),
    ),
    "no_healthy_upstream": Runbook(
        "The health checks have found every endpoint of the upstream down, so none is asked.",
        (
            "`/health`: of each endpoint why and since when; the events `endpoint_down`.",
            "By hand, from where Sidelight runs: the path of `health.path` with its `Host`.",
        ),
        (
            "Mend the service: traffic comes back after `health.up_after` good checks.",
            "If the service works and only its health page does not: mend `health.path`, `host` or `status`, or set `panic`, so that all are used where few are healthy.",
        ),
    ),
    "draining": Runbook(
        "Sidelight is shutting down and takes nothing new.",
        ("The event `drain_began`: was it meant?",),
        ("Nothing; many of them: the balancer is slow to see `/readyz`.",),
    ),
    "dns_failure": Runbook(
        "The endpoint's name has no address.",
        ("`getent hosts NAME` in the same container.",),
        ("Mend the name in `endpoints`, or the resolver.",),
    ),
    "connect_refused": Runbook(
        "Nobody listens at the endpoint, or the network refuses.",
        ("Whether the upstream runs and on which port.",),
        ("Start it; mend `endpoints`; give it a start-up probe.",),
    ),
    "connect_timeout": Runbook(
        "TCP and TLS did not come about within `timeouts.connect`.",
        ("Whether packets pass: firewall, network policy, a full accept queue.",),
        ("Mend the way there; a longer timeout seldom helps.",),
    ),
    "tls_failure": Runbook(
        "The upstream's certificate or its TLS is not accepted.",
        ("`detail`: expired, wrong name, unknown authority?",),
        ("Renew it, or set `tls.server_name` or `tls.ca_file`.",),
    ),
    "upstream_write_failed": Runbook(
        "The connection broke while the request was being sent, and no answer was there to read.",
        ("Whether the upstream limits bodies: `bytes_in`.",),
        ("Align its limit with `max_body`.",),
    ),
    "stale_connection": Runbook(
        "A kept connection was closed by the upstream just as it was used again.",
        ("The upstream's keep-alive timeout.",),
        ("Set `pool.keep_alive` below it.",),
    ),
    "upstream_reset": Runbook(
        "The upstream closed the connection without an answer.",
        ("The upstream's log for a crash or a restart (out of memory?).",),
        ("Mend the crash; end its workers gracefully.",),
    ),
    "head_timeout": Runbook(
        "No head of an answer within `timeouts.head`.",
        ("`head_ms` of good requests on this route, and the upstream's load.",),
        ("Mend what is slow, or raise `timeouts.head` for work that needs it.",),
    ),
    "upstream_protocol_error": Runbook(
        "The answer breaks HTTP, or could be read in two ways.",
        ("`detail` names the rule.",),
        ("Mend the upstream, or whatever stands between.",),
    ),
    "upstream_headers_too_large": Runbook(
        "The head of the answer is over `max_head` or `max_headers` of the upstream.",
        ("Whether its cookies have grown.",),
        ("Shorten them, or raise the limit.",),
    ),
    "total_timeout": Runbook(
        "`timeouts.total` ran out before any answer, attempts and pauses included.",
        ("`attempts` and `attempt_results`: one slow attempt or many failed ones?",),
        ("Mend what is slow; give `total` room for all `attempts` times `head`.",),
    ),
    "first_event_timeout": Runbook(
        "The upstream sent the head of a stream, but no data event within `timeouts.first_event`; comments do not count.",
        ("Compare `first_event_ms` of good streams; look whether the model is queueing.",),
        (
            "Raise `timeouts.first_event` for models that think long, or set `stream.hold_first_event` so that another attempt is made.",
        ),
    ),
    "stream_stalled": Runbook(
        "Nothing came for `timeouts.gap`.",
        ("`max_gap_ms` of good streams; does the upstream send comments while it thinks?",),
        ("Send heartbeats, or raise `gap`.",),
    ),
    "stream_truncated": Runbook(
        "The upstream closed before the body had ended as announced.",
        ("The upstream's log for a crash; its own timeouts.",),
        ("Mend the upstream.",),
    ),
    "stream_reset": Runbook(
        "The upstream broke the connection within the body.",
        ("The same, and what stands between: idle timeouts of balancers.",),
        ("Mend what breaks it.",),
    ),
    "stream_malformed": Runbook(
        "The body's chunks make no sense.",
        ("`detail`.",),
        ("Mend the upstream, or whatever rewrites its answers.",),
    ),
    "stream_error": Runbook(
        'The upstream said inside a stream of status 200 that it failed: an event named `error`, or JSON with a top-level `error` or `"type": "error"`.',
        (
            "`detail` names its type or code; the upstream's log for this request ID.",
            "Whether its model or provider is overloaded or out of quota.",
        ),
        ("Mend what the upstream says; many of them open the circuit by their share.",),
    ),
    "stream_empty": Runbook(
        "A stream ended well, and there was no data event in it: at most comments.",
        (
            "The upstream's log for this request ID: did it have nothing to say, or was an error swallowed?",
        ),
        (
            "Mend the upstream where an answer was due; nothing where empty streams are usual, such as a channel that is asked anew.",
        ),
    ),
    "stream_max_duration": Runbook(
        "The body took longer than `timeouts.max_stream`.",
        ("`duration_ms`, `bytes_out`, `client_ip`: a long answer or a client that reads slowly?",),
        ("Raise `max_stream` where such answers are wanted.",),
    ),
    "response_too_large": Runbook(
        "The answer is larger than the route's `max_response`: it said so, or it was cut where it turned out to be.",
        ("`detail` and `bytes_out`.", "What was asked for: a listing without pages, an export?"),
        ("Let the client ask for less, or raise `max_response` where such answers are wanted.",),
    ),
    "drain_cut": Runbook(
        "Sidelight's shutdown did not wait any longer for this answer.",
        ("`drain.limit` against the length of usual answers.",),
        ("Raise it, and the platform's grace period with it.",),
    ),
    "client_closed_request": Runbook(
        "The client left before it had an answer.",
        ("`term` for the phase, `duration_ms`: does it give up after a fixed time?",),
        (
            "One after a long wait: make the answer faster, or show that it is being worked on.",
            "Always after the same time: raise that client's own timeout.",
        ),
    ),
    "client_closed_stream": Runbook(
        "The client left within the answer.",
        ("`duration_ms` and `bytes_out`.",),
        (
            'Nothing for a closed tab or "stop".',
            "Always after the same time: raise that client's own timeout.",
        ),
    ),
    "client_too_slow": Runbook(
        "The client took nothing for `timeouts.client_write`.",
        ("`client_ip`: one network?",),
        ("Nothing for a few; raise it for very slow readers.",),
    ),
    "internal_error": Runbook(
        "A bug of Sidelight's own.",
        ("`fault`: type and place.",),
        ("Report it with the event.",),
    ),
}
"""For every code of the outcome table."""

CLOCKS: Final[dict[str, Runbook]] = {
    "event_gap": Runbook(
        "Bytes went on coming, but no data event within `timeouts.event_gap`; the code is `stream_stalled`.",
        (
            "What came instead: comments of an upstream that waits for its model, or an event that never ends.",
            "`max_gap_ms` says nothing here; compare how far apart the events of good streams are.",
        ),
        ("Mend what the upstream waits for, or raise `event_gap`.",),
    ),
    "body_stalled": Runbook(
        "A plain answer, no stream, stopped in the middle for `timeouts.gap`; the code is `stream_stalled`.",
        (
            "The upstream's log for this request ID: what did it wait for?",
            "`bytes_out` against the length that was announced.",
        ),
        ("Mend what the upstream waits for, or raise `gap` for answers that are made slowly.",),
    ),
    "circuit_by_hand": Runbook(
        "Somebody opened the circuit of the route by hand; the code is `circuit_open`.",
        ("`breaker_opened` with the cause `manual` in the log: since when?",),
        ("Close it: on the page of the routes, or by `POST /api/breakers/ROUTE/close`.",),
    ),
}
"""For ends that call for something else than their code does."""

RUNBOOKS: Final = CODES | CLOCKS | CIRCUMSTANCES | ALERTS | MONITORING

_HEAD: Final = """# Runbooks

What to do about each way an exchange can end, and about each alert.
Begin with the Reference ID: `sidelight explain ID`, or the search box of the dashboard, tells its story and names the runbook.
This page is made by `python -m proxy.diagnostics.stories.runbooks`; a test holds it to that.
"""


def runbooks_page() -> str:
    """All runbooks as a Markdown page; each has its code as anchor."""
    parts = [_HEAD, "\n## Codes\n", *(_section(*item) for item in CODES.items())]
    parts += ["\n## Clocks\n", *(_section(*item) for item in CLOCKS.items())]
    parts += ["\n## Circumstances\n", *(_section(*item) for item in CIRCUMSTANCES.items())]
    parts += ["\n## Alerts\n", *(_section(*item) for item in ALERTS.items())]
    parts += ["\n## Alerts of Prometheus\n", *(_section(*item) for item in MONITORING.items())]
    return "".join(parts)


def _section(code: str, runbook: Runbook) -> str:
    return (
        f"\n### {code}\n\n{runbook.cause}\n\n"
        f"**Check**\n\n{_listed(runbook.checks)}\n**Fix**\n\n{_listed(runbook.fixes)}"
    )


def _listed(items: tuple[str, ...]) -> str:
    return "".join(f"* {item}\n" for item in items)


if __name__ == "__main__":
    import sys

    sys.stdout.write(runbooks_page())
