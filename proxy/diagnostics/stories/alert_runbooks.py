"""Runbooks of alerts: Sidelight's own, and those that Prometheus raises by the rules of `deploy/`."""
# ruff: noqa: E501 - a table is read by its rows

from typing import Final

from proxy.diagnostics.stories.runbook import Runbook

ALERTS: Final[dict[str, Runbook]] = {
    "critical_errors": Runbook(
        "Sidelight itself had a fault: an exchange ended as `internal_error`.",
        ("The error group: its stack trace names the place.", "The story of one of the Reference IDs: which request brings it about?"),
        ("Report it with the trace.", "Go back to the version before, if it came with a new one."),
    ),
    "errors": Runbook(
        "More exchanges broke within the window than are usual.",
        ("The groups of errors, newest first: one endpoint or all, one code or many?", "The stories of the Reference IDs."),
        ("Follow the runbook of the code that leads the list.",),
    ),
    "warnings": Runbook(
        "More requests were refused within the window than are usual.",
        ("The groups of errors: which limit refuses?",),
        ("Follow the runbook of the code that leads the list: a limit that is too low, or a client that asks too much.",),
    ),
    "error_rate": Runbook(
        "The share of exchanges that broke is over the threshold.",
        ("The groups of errors: one route and one endpoint, or everything?", "Whether something was rolled out just before it began."),
        ("Follow the runbook of the code that leads the list.", "Roll back what was rolled out."),
    ),
    "slow_answers": Runbook(
        "More than one exchange in twenty took longer than the threshold (streams are not counted).",
        ("The times of the stories: is it the upstream, the queue, or the client?", "`sidelight_request_duration_seconds` by route."),
        ("Mend what is slow; raise the threshold where such work is wanted.",),
    ),
    "slow_first_events": Runbook(
        "More than one stream in twenty had its first event later than the threshold.",
        ("The load of the upstream or of its model.", "`sidelight_time_to_first_event_seconds` by route."),
        ("Give the upstream more capacity; raise the threshold where it always thinks that long.",),
    ),
    "stalls": Runbook(
        "Too many streams fell silent and were ended by `gap` or `event_gap`.",
        ("The stories: after how many events, and always after the same time?", "Idle timeouts of whatever stands between."),
        ("Follow the runbook of `stream_stalled`.",),
    ),
    "unauthorised": Runbook(
        "Many requests are answered with 401 or 403.",
        ("The stories: one client address, one user, one route?", "Whether a credential was changed or has expired."),
        ("Renew the credential; block the address if somebody is guessing.",),
    ),
    "breaker_open": Runbook(
        "A circuit is open: requests of that route are refused without asking the upstream.",
        ("The event `breaker_opened` and the errors just before it: they are the cause.",),
        ("Mend that; the circuit closes by itself after a good probe.", "`POST /api/breakers/{route}/close` once the upstream is known to be well."),
    ),
    "pool_exhausted": Runbook(
        "All connections to an upstream are in use, and requests wait for one.",
        ("`sidelight_upstream_connections`: how many are active, how many wait?", "Whether streams hold them or slow answers do."),
        ("Follow the runbook of `pool_timeout`.",),
    ),
    "overloaded": Runbook(
        "New requests are refused (`overload_shed`), because the event loop runs late or memory is short.",
        ("The event `overload_began`: `loop_lag` or `memory`, and how far above its mark.", "`sidelight_overloaded`: how long, and how often?"),
        ("Follow the runbook of `overload_shed`.",),
    ),
    "endpoint_down": Runbook(
        "The health checks keep an endpoint out of use, or traffic has found it out of reach.",
        ("`/health`: of each endpoint why and since when.", "By hand, from where Sidelight runs: the path of `health.path` with its `Host`."),
        ("Mend the endpoint; it is used again after `health.up_after` good checks.", "If it was taken away for good: take it out of `endpoints`."),
    ),
    "store_dropping": Runbook(
        "Stories are lost because the store does not take them.",
        ("The event `store_failed` and its `reason`: disk full, file locked, path not writable?",),
        ("Make room or mend the path; the store heals by itself.", "Lower `store.sample` if the disk is too slow."),
    ),
    "log_dropping": Runbook(
        "Log lines are lost because nobody reads them fast enough.",
        ("What reads standard output: the container's log driver, a pipe.", "`sidelight_log_dropped_total` by cause."),
        ("Mend the reader; lower `log.sample`, or raise `log.queue`.",),
    ),
    "config_rejected": Runbook(
        "New settings were refused; the ones before remain in force.",
        ("The event `config_rejected`, or `GET /reload`: they name every place.", "`sidelight check FILE`, with the environment of the process."),
        ("Mend the file, then `sidelight reload`; where `reload.watch` is set it is read by itself.", "Until then do not restart: it would not start."),
    ),
    "certificate_expires": Runbook(
        "A certificate of a port, or the one shown to an upstream, expires within 14 days.",
        ("`/health` under `certificates`: which one, and when?", "Whether whatever renews it (cert-manager, an ACME client) still runs."),
        ("Renew it into the same files: they are read again within seconds, and no connection is touched.",),
    ),
    "certificate_expires_soon": Runbook(
        "A certificate expires within 3 days, or has expired: then every client that checks it is refused.",
        ("`/health` under `certificates`: which one, and when?", "Whether the files were renewed already and refused: event `tls_files_rejected`."),
        ("Renew it by hand, into the same files; no restart is needed.",),
    ),
    "certificate_rejected": Runbook(
        "Files of TLS changed and cannot be used; the certificate and key from before remain in force.",
        ("The event `tls_files_rejected`: its `detail` names the file.", "`sidelight check FILE`, where the process runs."),
        ("Write key and certificate that fit each other; they are read again within seconds.", "Put the old ones back."),
    ),
    "alert_test": Runbook(
        "Somebody ran `sidelight alert-test`.",
        ("Whether it came to everybody who should hear of alerts.",),
        ("Nothing to do.",),
    ),
}  # fmt: skip
"""For every rule of the alerts."""

MONITORING: Final[dict[str, Runbook]] = {
    "target_down": Runbook(
        "Prometheus cannot scrape the admin port.",
        ("Whether the process runs, and what its last lines on standard output and error say.", "`admin.host`: a port on the loopback cannot be scraped from outside; a network policy may be in the way."),
        ("Start it; set `SIDELIGHT_ADMIN__HOST=0.0.0.0` where it runs in a container; let the network policy admit Prometheus.",),
    ),
    "stream_failures": Runbook(
        "Streamed answers broke after their head had gone out as 200: no dashboard of statuses shows it.",
        ("`sum by (code) (rate(sidelight_streams_total[5m]))`: cut, stalled or too late?", "The exemplars of `sidelight_stream_duration_seconds`, or the stories of the route's errors."),
        ("Follow the runbook of the code that leads.",),
    ),
    "slo_burn": Runbook(
        "So many answers fail that the error budget of 30 days will be spent long before.",
        ("`sidelight_terminations_total` by code and route: what failed, and since when?", "Whether something was rolled out just before it began."),
        ("Follow the runbook of the code that leads.", "Roll back what was rolled out; burning fast is an incident."),
    ),
    "retry_budget_spent": Runbook(
        "So many attempts fail that no more retries are paid for: what fails now reaches the clients.",
        ("`sidelight_retries_total` by cause: why was so much repeated?", "`sidelight_retry_budget_tokens`: does it recover?"),
        ("Mend the upstream; more retries would only load it further.", "Raise `retry.budget` only where single failures are usual and the upstream has room."),
    ),
    "event_loop_lag": Runbook(
        "The event loop runs late: the processor is taken away or busy, and what passes is late with it. Clocks of silence do not count that time; a second and more at once is said as event `loop_stalled`.",
        ("CPU throttling of the container, steal of the machine, `rate(process_cpu_seconds_total[5m])`.", "Whether a neighbour began something heavy at that time."),
        ("Give it CPU (a limit below one core throttles); add instances.",),
    ),
}  # fmt: skip
"""For the rules of `deploy/prometheus/alerts.yml` that have no counterpart above."""
