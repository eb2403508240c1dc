"""Names of attributes and events: the stable HTTP conventions of OpenTelemetry, and our own.

The one table of them. Those of OpenTelemetry are as of version 1.44.0 of the semantic conventions;
docs/tracing.md says what each is made from.
"""

from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"

# HTTP spans, of both kinds unless it is said
METHOD: Final = "http.request.method"
METHOD_ORIGINAL: Final = "http.request.method_original"
STATUS_CODE: Final = "http.response.status_code"
ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
PROTOCOL_VERSION: Final = "network.protocol.version"
ROUTE: Final = "http.route"  # SERVER
URL_PATH: Final = "url.path"  # SERVER
URL_QUERY: Final = "url.query"  # SERVER
URL_SCHEME: Final = "url.scheme"  # SERVER
CLIENT_ADDRESS: Final = "client.address"  # SERVER
USER_AGENT: Final = "user_agent.original"  # SERVER
URL_FULL: Final = "url.full"  # CLIENT
PEER_ADDRESS: Final = "network.peer.address"  # CLIENT
PEER_PORT: Final = "network.peer.port"  # CLIENT
RESEND_COUNT: Final = "http.request.resend_count"  # CLIENT

# of Sidelight's own; the first three are those of the log
REQUEST_ID: Final = "sidelight.request_id"
CODE: Final = "sidelight.code"
TERM: Final = "sidelight.term"
ROUTE_NAME: Final = "sidelight.route"
UPSTREAM: Final = "sidelight.upstream"
RETRY_STOPPED: Final = "sidelight.retry_stopped"
FALLBACK: Final = "sidelight.fallback"
RESULT: Final = "sidelight.attempt.result"
REUSED: Final = "sidelight.attempt.connection_reused"
RETRY_CAUSE: Final = "sidelight.retry.cause"
RETRY_PAUSE: Final = "sidelight.retry.pause_ms"
GAP: Final = "sidelight.stream.gap_ms"
EVENTS: Final = "sidelight.stream.events"

# events of the SERVER span
HEAD: Final = "sidelight.head"
FIRST_EVENT: Final = "sidelight.first_event"
STALL: Final = "sidelight.stall"
INBAND_ERROR: Final = "sidelight.in_band_error"

METHODS: Final = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY")
)
"""Those that the conventions know; any other one is `_OTHER`."""
