"""The table of all metrics: name, type, labels, buckets, help. No counting.

A family without a subject is not listed: what nobody counts is not promised.
"""
# ruff: noqa: E501 - a table is read by its rows

from dataclasses import dataclass
from typing import Final, Literal

MetricKind = Literal["counter", "gauge", "histogram"]

REQ: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
)  # fmt: skip
GAP: Final = (
    0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0,
)  # fmt: skip
TTFE: Final = (
    0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0,
)  # fmt: skip
EVT: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
CONN: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OVH: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
SIZE: Final = tuple(float(256 * 4**k) for k in range(10))


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `buckets` are upper bounds, in the unit of the name; empty for no histogram."""

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


# fmt: off
_TABLE = (
    Family("sidelight_requests_total", "counter", ("route", "method", "status"), "Exchanges by what the client was sent."),
    Family("sidelight_terminations_total", "counter", ("route", "code"), "Exchanges by how they ended."),
    Family("sidelight_request_duration_seconds", "histogram", ("route",), "From the request's head to the last byte of the answer.", REQ),
    Family("sidelight_time_to_head_seconds", "histogram", ("route", "upstream"), "From the request sent to the answer's head, last attempt.", REQ),
    Family("sidelight_overhead_seconds", "histogram", ("route",), "Time in which Sidelight waited for nobody.", OVH),
    Family("sidelight_requests_in_flight", "gauge", ("route",), "Exchanges that run now."),
    Family("sidelight_request_size_bytes", "histogram", ("route",), "Body bytes received from clients.", SIZE),
    Family("sidelight_response_size_bytes", "histogram", ("route",), "Body bytes sent to clients.", SIZE),
    Family("sidelight_attempts_total", "counter", ("route", "upstream", "result"), "Attempts by how they ended."),
    Family("sidelight_retries_total", "counter", ("route", "cause"), "Retries by what they were for."),
    Family("sidelight_retries_suppressed_total", "counter", ("route", "why"), "Failed attempts that were not repeated, and why."),
    Family("sidelight_retry_budget_tokens", "gauge", ("route",), "Retries that the budget would pay for now."),
    Family("sidelight_upstream_connect_seconds", "histogram", ("upstream",), "TCP and TLS set-up of a connection.", CONN),
    Family("sidelight_upstream_connections", "gauge", ("upstream", "state"), "Connections of the pool; waiting: exchanges without one; retired: in use of one that a reload replaced."),
    Family("sidelight_upstream_connection_uses_total", "counter", ("upstream", "reused"), "Attempts that had a connection, new or reused."),
    Family("sidelight_stale_connections_total", "counter", ("upstream",), "Reused connections that were closed before any byte."),
    Family("sidelight_endpoint_ejections_total", "counter", ("upstream", "endpoint"), "Ejections of an endpoint because of its failures, those of failed probes included."),
    Family("sidelight_endpoint_healthy", "gauge", ("upstream", "endpoint"), "1 while the endpoint may be used: neither its health checks nor its traffic keep it out. Of a name with several addresses: while one of them may."),
    Family("sidelight_circuit_state", "gauge", ("route", "state"), "1 for the state that the circuit is in."),
    Family("sidelight_circuit_transitions_total", "counter", ("route", "to", "cause"), "Changes of state of the circuit."),
    Family("sidelight_circuit_rejections_total", "counter", ("route",), "Attempts refused by an open circuit."),
    Family("sidelight_streams_active", "gauge", ("route",), "Streamed answers that run now."),
    Family("sidelight_streams_total", "counter", ("route", "code"), "Streamed answers by how they ended."),
    Family("sidelight_time_to_first_event_seconds", "histogram", ("route",), "From the request's head to the first data event of a stream.", TTFE),
    Family("sidelight_stream_gap_seconds", "histogram", ("route",), "Silences between two reads of a stream, as they happen.", GAP),
    Family("sidelight_stream_max_gap_seconds", "histogram", ("route",), "The longest silence within a stream.", GAP),
    Family("sidelight_stream_duration_seconds", "histogram", ("route",), "From the head to the last byte of a stream.", REQ),
    Family("sidelight_stream_events", "histogram", ("route",), "Data events of a stream.", EVT),
    Family("sidelight_stream_reads_total", "counter", ("route",), "Reads in which streams came; far fewer than events where something in between bunches them."),
    Family("sidelight_stream_client_wait_seconds", "histogram", ("route",), "Time for which a stream waited for a client that did not read.", REQ),
    Family("sidelight_stream_end_markers_total", "counter", ("route", "carried"), "Streams that ended well, by whether they carried their end marker."),
    Family("sidelight_streams_unframed_total", "counter", ("route",), "Streams passed on, in whole or in part, without knowing their events: compressed, of a type in stream.types, or with bytes that are none."),
    Family("sidelight_inband_errors_total", "counter", ("route", "code"), "Streams whose error was said inside the stream."),
    Family("sidelight_upstream_cancel_seconds", "histogram", ("route",), "From a client's leaving to the closing of its upstream connection.", CONN),
    Family("sidelight_client_disconnects_total", "counter", ("route", "phase"), "Clients that left or did not read, by the phase letter of term."),
    Family("sidelight_rate_limit_decisions_total", "counter", ("policy", "decision"), "Requests by what a rate limit decided: allowed, refused, or would_refuse where it only runs dry."),
    Family("sidelight_fallbacks_total", "counter", ("route", "cause"), "Exchanges that were given a fallback, by the code of the failure that it was for."),
    Family("sidelight_concurrency_in_use", "gauge", ("scope",), "Requests that have a place under a concurrency limit."),
    Family("sidelight_concurrency_limit", "gauge", ("scope",), "Places there are."),
    Family("sidelight_concurrency_queue_length", "gauge", ("scope",), "Requests that wait for a place."),
    Family("sidelight_overloaded", "gauge", ("cause",), "1 while new requests are refused because of it: loop_lag or memory."),
    Family("sidelight_event_loop_lag_seconds", "histogram", (), "By how much a timer of the event loop overslept.", OVH),
    Family("sidelight_connections_shed_total", "counter", ("port", "cause"), "Connections that were refused or cut, so that others are served."),
    Family("sidelight_tls_handshakes_total", "counter", ("port", "result"), "TLS handshakes of clients by how they ended."),
    Family("sidelight_certificate_expiry_timestamp_seconds", "gauge", ("certificate",), "When a certificate of ours, or of its chain, expires, in seconds since 1970."),
    Family("sidelight_certificate_files_rejected", "gauge", ("certificate",), "1 while changed files of TLS cannot be used and the ones before remain in force."),
    Family("sidelight_drain_exchanges_total", "counter", ("result",), "Exchanges that ended while draining."),
    Family("sidelight_config_info", "gauge", ("hash",), "1 for the settings in force."),
    Family("sidelight_config_reloads_total", "counter", ("result",), "Reloads, by whether the settings took effect."),
    Family("sidelight_config_last_reload_successful", "gauge", (), "1 where the settings read last took effect, 0 where they were rejected."),
    Family("sidelight_config_last_success_timestamp_seconds", "gauge", (), "When settings were last loaded, in seconds since 1970."),
    Family("sidelight_errors_total", "counter", ("severity", "code"), "Exchanges that ended as an error, by its level."),
    Family("sidelight_log_dropped_total", "counter", ("cause",), "Log lines lost."),
    Family("sidelight_store_dropped_total", "counter", ("cause",), "Stories that the store lost."),
    Family("sidelight_alerts_total", "counter", ("rule", "result"), "Messages about alerts, by what became of them."),
    Family("sidelight_label_overflow_total", "counter", ("metric",), "Label values that were counted as other."),
    Family("sidelight_build_info", "gauge", ("version", "python"), "1 for the version that runs."),
)
# fmt: on

FAMILIES: Final = {family.name: family for family in _TABLE}
