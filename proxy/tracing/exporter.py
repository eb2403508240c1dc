"""Sends the spans of exchanges that have ended, in batches, from a thread of its own.

Whatever the collector does, nobody waits for it: what does not fit into the queue is dropped and
counted, and that it fails is said once, as is that it works again.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from proxy import clock
from proxy.exchange import Exchange
from proxy.observation.readings import span_samples
from proxy.observation.record import EmitEvent, ms
from proxy.observation.series import Sample
from proxy.tracing.conventions import SCHEMA_URL
from proxy.tracing.sender import Sender, Sent
from proxy.tracing.spans import SpanWriter
from proxy.tracing.wire import varint

BATCH: Final = 1024
"""Spans from which on a batch is sent without waiting for more: half a megabyte or so."""
PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a batch that was not taken is sent again; then the last, for ever."""
CLOSING: Final = 5.0
"""Seconds that what still waits may take when we end."""
_TOGETHER: Final = 32
"""Exchanges that are written before the event loop may have the interpreter."""


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
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._writer, self._sender, self._tell = writer, sender, tell
        self._queue, self._interval = queue, interval
        self._timeout, self._pauses = timeout, pauses
        self._resource = _resource(resource)
        self._scope = ScopeSpans(
            scope=InstrumentationScope(name="sidelight", version=version), schema_url=SCHEMA_URL
        ).SerializeToString()
        self.dropped: Counter[str] = Counter()
        """Spans lost since the start, by cause: queue_full, rejected, closing."""
        self.exported = 0
        """Spans that the collector took."""
        self.failing: str | None = None
        """Why nothing is sent at the moment; None while it is."""
        self._failed_at = 0.0
        self._waiting: deque[Exchange] = deque()
        self._put = self._taken = 0
        """Spans, each written by one thread only."""
        self._wake, self._closing = threading.Event(), threading.Event()
        self._ends_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="sidelight-spans", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def queued(self) -> int:
        """Spans that wait to be sent."""
        return self._put - self._taken

    def closed(self, batch: Sequence[Exchange]) -> None:
        """Queue the spans of these; they are redacted, and nobody will change them any more."""
        for x in batch:
            if x.span is None or not x.span.sampled:
                continue
            spans = _count(x)
            if self.queued + spans > self._queue:
                self.dropped["queue_full"] += spans
            else:
                self._put += spans
                self._waiting.append(x)
        if self.queued >= BATCH and not self._wake.is_set():
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
        while not self._closing.is_set():
            self._wake.wait(self._interval)
            self._wake.clear()
            while self._waiting and self._send_next():
                if self.queued < BATCH:
                    break
        while self._waiting and self._send_next():
            pass
        self._sender.close()

    def _send_next(self) -> bool:
        """Whether the next batch is done with, and another one may follow."""
        body, spans = self._next()
        done = not spans or self._is_sent(body, spans)
        if done:
            self._taken += spans
        return done

    def _next(self) -> tuple[bytes, int]:
        written: list[bytes] = []
        spans = 0
        while self._waiting and spans < BATCH:
            x = self._waiting.popleft()
            number = _count(x)
            try:
                written.append(self._writer.spans_of(x))
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                self.dropped["rejected"] += number  # one that cannot be made must not stop the rest
                self._taken += number
                continue
            spans += number
            if len(written) % _TOGETHER == 0:
                time.sleep(0)
        return self._request(written), spans

    def _request(self, written: list[bytes]) -> bytes:
        """The whole `ExportTraceServiceRequest`, put together once: it may be a megabyte."""
        inner = sum(map(len, written)) + len(self._scope)
        spans_head = b"\x12" + varint(inner)
        outer = len(self._resource) + len(spans_head) + inner
        head = (b"\x0a", varint(outer), self._resource, spans_head)
        return b"".join((*head, *written, self._scope))

    def _is_sent(self, body: bytes, spans: int) -> bool:
        """Try until it is taken, or never will be. False: given up, because we are closing."""
        tried = 0
        while True:
            is_last, left = self._closing.is_set(), self._ends_by - clock.now()
            if left <= 0:
                return False
            sent = self._sender.send(body, min(self._timeout, left))
            if not sent.again:
                self._done(sent, spans)
                return True
            self._failed(sent.why)
            pause = self._pauses[min(tried, len(self._pauses) - 1)]
            if is_last:
                return False
            self._closing.wait(max(pause, sent.wait or 0.0))
            tried += 1

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


def _count(x: Exchange) -> int:
    spare = x.fallback.attempt if x.fallback is not None else None
    return 1 + len(x.attempts) + (1 if spare is not None and spare.span_id else 0)


def _resource(attributes: Mapping[str, str]) -> bytes:
    told = Resource(
        attributes=[KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in attributes.items()]
    )
    return bytes(ResourceSpans(resource=told, schema_url=SCHEMA_URL).SerializeToString())
