"""What is said of streams while they last, for log and metrics."""

from collections.abc import Callable

from proxy import clock
from proxy.exchange import Exchange
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.record import ms
from proxy.observation.redaction import redact


class StreamEvents:
    """Is told by every stream."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self._log, self._metrics = log, metrics

    def stream_gaps(self, x: Exchange) -> Callable[[float], None]:
        """Takes the silences of a stream as they happen, in seconds."""
        return self._metrics.stream_gaps(x)

    def stream_started(self, x: Exchange) -> None:
        """Its head has gone out; logged where the route asks for it."""
        self._log.emit("stream_started", "info", **_stream_fields(x))

    def stream_progress(self, x: Exchange) -> None:
        """It still runs."""
        age = ms(clock.now() - x.started)
        progress = {"duration_ms": age, "events": x.events, "bytes_out": x.bytes_out}
        gap = {"max_gap_ms": ms(x.max_gap)}
        self._log.emit("stream_progress", "info", **_stream_fields(x), **progress, **gap)


def _stream_fields(x: Exchange) -> dict[str, object]:
    return {"request_id": redact(x.request_id), "route": x.route, "upstream": x.upstream}
