"""A collector that decodes real OTLP, and that fails in the ways that collectors do."""

import asyncio
import gzip
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.house.raw_client import eventually

SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"

DRIPPED = b"HTTP/1.1 100 Continue\r\n\r\n"
"""Comes again and again, and nothing else does."""


def answered(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def partly(rejected: int, why: str) -> bytes:
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=why)
    return answered(
        200, body=ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    )


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dictionary."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


@dataclass
class Seen:
    """A span as a test wants it: IDs in hex digits, attributes as a dictionary."""

    span: Span
    resource: dict[str, Any]
    scope: str
    attributes: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.attributes = plain(self.span.attributes)

    @property
    def kind(self) -> int:
        return self.span.kind

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def trace_id(self) -> str:
        return self.span.trace_id.hex()

    @property
    def span_id(self) -> str:
        return self.span.span_id.hex()

    @property
    def parent_id(self) -> str:
        return self.span.parent_span_id.hex()

    @property
    def is_error(self) -> bool:
        return self.span.status.code == 2

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        return {event.name: plain(event.attributes) for event in self.span.events}


class Collector:
    """`answers` are given one after the other, then all is taken; None: never one."""

    def __init__(self) -> None:
        self.answers: deque[bytes | None] = deque()
        self.heads: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.spans: list[Seen] = []
        """Of the batches that were taken."""
        self.malformed: list[str] = []
        self._server: asyncio.Server | None = None
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self.port = 0
        self.tls: ssl.SSLContext | None = None
        """None: plain HTTP."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, and break those that there are."""
        self._server.close()
        for writer, task in list(self._writers.items()):
            writer.transport.abort()
            task.cancel()
            await asyncio.wait({task})

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    async def trace(self, spans: int = 1, **attributes: Any) -> list[Seen]:
        """All spans, once there are so many; or those of which an attribute is as given."""

        def found() -> list[Seen]:
            wanted = {key.replace("__", "."): value for key, value in attributes.items()}.items()
            return [seen for seen in self.spans if wanted <= seen.attributes.items()]

        await eventually(lambda: len(found()) >= spans)
        return found()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[writer] = asyncio.current_task()
        with suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(fields["content-length"]))
                self.paths.append(first.split()[1])
                self.heads.append(fields)
                self.bodies.append(body)
                answer = self.answers.popleft() if self.answers else TAKEN
                if answer is None:
                    await reader.read()
                    break
                while answer is DRIPPED:
                    writer.write(answer)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if answer.startswith(b"HTTP/1.1 200"):
                    self._take(body, fields)
                writer.write(answer)
                await writer.drain()
        del self._writers[writer]
        writer.close()

    def _take(self, body: bytes, fields: dict[str, str]) -> None:
        if fields.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        if request.SerializeToString() != body and not request.resource_spans:
            self.malformed.append(body.hex())
        for resource_spans in request.resource_spans:
            resource = plain(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                scope = scope_spans.scope.name
                self.spans += (Seen(span, resource, scope) for span in scope_spans.spans)
