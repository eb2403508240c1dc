"""Sends the spans of exchanges that have ended, in batches, from a thread of its own.

Whatever the collector does, nobody waits for it: what does not fit into the queue is dropped and
counted, and that it fails is said once, as is that it works again.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from proxy import clock
from proxy.exchange import Exchange
from proxy.observation.fault import of_ours
from proxy.observation.readings import span_samples
from proxy.observation.record import EmitEvent, ms
from proxy.observation.series import Sample
from proxy.tracing.conventions import SCHEMA_URL
from proxy.tracing.sender import Sender, Sent
from proxy.tracing.span_queue import SpanQueue
from proxy.tracing.spans import SpanWriter
from proxy.tracing.wire import varint

BATCH: Final = 1024
"""Spans from which on a batch is sent without waiting for more: half a megabyte or so."""
PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a batch that was not taken is sent again; then the last, for ever."""
CLOSING: Final = 5.0
"""Seconds that what still waits may take when we end."""


class SpanExporter:
    """`closed` and what is read from attributes is for the event loop: it never waits."""

    def __init__(
        self,
        writer: SpanWriter,
        sender: Sender,
        resource: Mapping[str, str],
        tell: EmitEvent,
        *,
        version: str = "",
        queue: int = 8192,
        interval: float = 1.0,
        timeout: float = 10.0,
    ) -> None:
        self._queue, self._sender, self._tell = SpanQueue(writer, queue), sender, tell
        self._interval = interval
        self._timeout = timeout
        self._resource = _resource(resource)
        self._scope = ScopeSpans(
            scope=InstrumentationScope(name="sidelight", version=version), schema_url=SCHEMA_URL
        ).SerializeToString()
        self.exported = 0
        """Spans that the collector took."""
        self.failing: str | None = None
        """Why nothing is sent at the moment; None while it is."""
        self._failed_at = 0.0
        self._wake, self._closing = threading.Event(), threading.Event()
        self._ends_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="sidelight-spans", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def queued(self) -> int:
        """Spans that wait to be sent."""
        return self._queue.waiting

    @property
    def dropped(self) -> Counter[str]:
        """Spans lost since the start, by cause: queue_full, rejected, closing."""
        return self._queue.dropped

    def closed(self, batch: Sequence[Exchange]) -> None:
        """Write the spans of these; they are redacted, and nobody will change them any more."""
        self._queue.add(batch)
        if self._queue.untaken >= BATCH and not self._wake.is_set():
            self._wake.set()

    def readings(self) -> Iterator[Sample]:
        """For the metrics."""
        yield from span_samples(self.exported, self.queued, self.dropped)

    def close(self, limit: float = CLOSING) -> None:
        """Send what waits, for at most `limit` seconds; what is left then is dropped. Blocks."""
        self._ends_by = clock.now() + limit
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(limit)
        if left := self.queued:
            self.dropped["closing"] += left
            self._tell("spans_dropped", "warning", {"cause": "closing", "dropped": left})

    def _run(self) -> None:
        due = clock.now() + self._interval
        while not self._closing.is_set():
            if self._queue.untaken < BATCH:
                self._wake.wait(max(0.0, due - clock.now()))
            self._wake.clear()
            if self._queue.untaken >= BATCH or clock.now() >= due:
                self._send()
                due = clock.now() + self._interval
        while self._queue.untaken and self._send():
            pass
        self._sender.close()

    def _send(self) -> bool:
        """Whether a batch is done with, and more may be sent."""
        pieces, spans = self._queue.take(BATCH)
        if spans and not self._is_sent(self._request(pieces), spans):
            return False
        self._queue.done(spans)
        return True

    def _request(self, spans: Sequence[bytes]) -> list[bytes]:
        """The whole `ExportTraceServiceRequest` in pieces."""
        inner = sum(map(len, spans)) + len(self._scope)
        spans_head = b"\x12" + varint(inner)
        outer = len(self._resource) + len(spans_head) + inner
        head = b"\x0a" + varint(outer) + self._resource + spans_head
        return [head, *spans, self._scope]

    def _is_sent(self, body: Sequence[bytes], spans: int) -> bool:
        """Try until it is taken, or never will be. False: given up, because we are closing."""
        tried = 0
        while True:
            is_last, left = self._closing.is_set(), self._ends_by - clock.now()
            if left <= 0:
                return False
            sent = self._sent(body, min(self._timeout, left))
            if not sent.again:
                self._done(sent, spans)
                return True
            self._failed(sent.why)
            if is_last:
                return False
            self._closing.wait(pause_after(tried, sent.wait))
            tried += 1

    def _sent(self, body: Sequence[bytes], timeout: float) -> Sent:
        """What became of it; of a fault, which must not be the end of the thread, as well."""
        try:
            return self._sender.send(body, timeout)
        except Exception as fault:  # noqa: BLE001
            self._sender.close()
            return Sent(of_ours(fault), rejected=None)

    def _done(self, sent: Sent, spans: int) -> None:
        lost = spans if sent.rejected is None else min(sent.rejected, spans)
        self.dropped["rejected"] += lost
        self.exported += spans - lost
        if sent.why:
            self._failed(sent.why)
        else:
            self._healed()

    def _failed(self, why: str) -> None:
        is_new, self.failing = self.failing is None, why
        if is_new:
            self._failed_at = clock.now()
            self._tell("spans_failed", "error", {"reason": why, "collector": self._sender.url})

    def _healed(self) -> None:
        if self.failing is None:
            return
        self.failing = None
        failed_for = ms(clock.now() - self._failed_at)
        fields = {"failed_for_ms": failed_for, "dropped": self.dropped.total()}
        self._tell("spans_healed", "info", {**fields, "collector": self._sender.url})


def pause_after(
    tried: int, asked: float | None, chance: Callable[[], float] = random.random
) -> float:
    """Seconds before a batch is sent again that was sent `tried` times before; at least those that
    the collector asks for, and up to a quarter more.

    Replicas that it has left all at once do not come back all at once.
    """
    pause = max(PAUSES[min(tried, len(PAUSES) - 1)], asked or 0.0)
    return pause * (1 + chance() / 4)


def _resource(attributes: Mapping[str, str]) -> bytes:
    told = Resource(
        attributes=[KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in attributes.items()]
    )
    return bytes(ResourceSpans(resource=told, schema_url=SCHEMA_URL).SerializeToString())
