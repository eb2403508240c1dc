"""One answer of the upstream, byte by byte: llhttp, and the limits that llhttp does not have.

Knows no socket and no clock: bytes go in by `feed`, a head and body bytes come out, and what is
wrong becomes `failure`.
One parser serves one answer and is dropped at its end: after the answer to a HEAD request it
would wait for the announced body and swallow the next answer.

Bytes after the end are `is_tainted`: the connection is never used again.
(Line ends alone after the end go unseen; the next parser reads over them too.)
"""

from typing import NoReturn

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from proxy.http1 import Framing, Head, Headers, Malformed, parse_framing, refused_switch
from proxy.outcome import (
    STREAM_MALFORMED,
    UPSTREAM_HEADERS_TOO_LARGE,
    UPSTREAM_PROTOCOL_ERROR,
    Outcome,
)
from proxy.transport.failed import Failed
from proxy.transport.rules import UpstreamRule

MAX_INTERIM = 64
"""Interim (1xx) answers read over before the real one."""

_NO_FRAMING = Framing("none", None, False)
_UNFRAMED = Framing("close", None, False)
_HEAD_END = b"\r\n\r\n"


class AnswerReader:
    """Reads one answer after the other, each begun by `expect`."""

    __slots__ = (
        "_framing",
        "_headers",
        "_interim",
        "_limits",
        "_may_switch",
        "_method",
        "_parser",
        "_reason",
        "_room",
        "_status",
        "answer",
        "buffered",
        "chunks",
        "endpoint",
        "failure",
        "is_done",
        "is_raw",
        "is_tainted",
    )

    def __init__(self, endpoint: str, limits: UpstreamRule) -> None:
        self.endpoint = endpoint
        self._limits = limits
        self.is_tainted = False
        self.reset()

    def reset(self) -> None:
        """Forget the last answer; no bytes are awaited until `expect`."""
        self._parser: HttpResponseParser | None = None
        self._framing = _NO_FRAMING
        self._room = self._limits.max_head
        self.answer: Head | None = None
        self.failure: Failed | None = None
        self.chunks: list[bytes] = []
        self.buffered = 0
        """Bytes in `chunks`."""
        self.is_done = False
        """The body has ended as its framing said; the rest of it is in `chunks`."""
        self.is_raw = False
        """Whether a 101 was the last that is HTTP; what follows it is in `chunks`."""

    def expect(self, method: str, *, may_switch: bool = False) -> None:
        """An answer to a request with `method` comes next.

        `may_switch` says that the request asked for a WebSocket: only then is a 101 an answer.
        """
        self._parser = HttpResponseParser(self)
        self._method = method
        self._may_switch = may_switch
        self._headers: Headers = []
        self._reason = b""
        self._interim = 0

    def feed(self, data: bytes) -> None:
        """Bytes from the upstream. What they brought is in `answer`, `chunks` and `failure`."""
        parser = self._parser
        if parser is None:
            self._feed_unparsed(data)
            return
        try:
            if self.answer is None:
                self._feed_head(parser, data)
            elif self._framing.kind == "chunked":
                self._feed_chunks(parser, data)
            else:
                parser.feed_data(data)
        except HttpParserError as error:
            self._refuse_bytes(error)
        except HttpParserUpgrade as switched:
            self._parser = None
            self._feed_unparsed(data[switched.args[0] :])
        if self.is_done or self.failure is not None:
            self._parser = None

    def end(self) -> bool:
        """The upstream sends no more. Whether that ended the body as its framing said."""
        if self.answer is not None and self._framing.kind == "close" and self.failure is None:
            self.is_done = True
        self._parser = None
        return self.is_done

    def fail(self, outcome: Outcome, detail: str) -> None:
        """Nothing more will come of this answer; the first reason stands."""
        if self.failure is None:
            self.failure = Failed(outcome, detail, self.endpoint)

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the answer has arrived."""
        return self._room < self._limits.max_head or self.answer is not None

    def take_chunks(self) -> bytes:
        """The body bytes that have arrived and were not taken yet."""
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.chunks = []
        self.buffered = 0
        return data

    def _feed_unparsed(self, data: bytes) -> None:
        if not self.is_raw:
            self.is_tainted = True
        elif data:
            self.on_body(data)

    def _feed_head(self, parser: HttpResponseParser, data: bytes) -> None:
        room = self._room
        self._room = room - len(data)
        parser.feed_data(data if self._room >= 0 else data[:room])
        if self.answer is None:
            if self._room < 0:
                self.fail(UPSTREAM_HEADERS_TOO_LARGE, f"head over {self._limits.max_head} bytes")
            return
        if self._framing.kind == "none" and not _ends_head(data):
            self.is_tainted = True
        self._room = self._limits.max_head
        if room < len(data):
            self.feed(data[room:])

    def _feed_chunks(self, parser: HttpResponseParser, data: bytes) -> None:
        """Chunk extensions and trailers are dropped, but may not go on for ever."""
        buffered = self.buffered
        parser.feed_data(data)
        if self.buffered != buffered:
            self._room = self._limits.max_head
            return
        self._room -= len(data)
        if self._room < 0 and not self.is_done:
            self.fail(STREAM_MALFORMED, "chunk extensions or trailers without end")

    def _refuse_bytes(self, error: HttpParserError) -> None:
        if self.is_done:
            self.is_tainted = True
        elif self.answer is None:
            self.fail(UPSTREAM_PROTOCOL_ERROR, str(error))
        else:
            self.fail(STREAM_MALFORMED, str(error))

    def _refuse_head(self, outcome: Outcome, detail: str) -> NoReturn:
        """End the parser from within one of its callbacks."""
        self.fail(outcome, detail)
        raise HttpParserError(detail)

    # What llhttp calls, in this order.

    def on_message_begin(self) -> None:
        if self.is_done:
            self.is_tainted = True

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None or self.is_done:
            return
        headers, self._headers = self._headers, []
        reason, self._reason = self._reason, b""
        status = parser.get_status_code()
        if len(headers) > self._limits.max_headers:
            self._refuse_head(UPSTREAM_HEADERS_TOO_LARGE, f"{len(headers)} header lines")
        version = parser.get_http_version()
        if 100 <= status < 200:
            if not self._switches(status, version, headers):
                self._read_over()
                return
            self.is_raw = True
            self._framing = _UNFRAMED
            self.answer = Head(status, reason, headers, version, "none", None)
            return
        framing = parse_framing(self._method, status, version, headers)
        if isinstance(framing, Malformed):
            self._refuse_head(UPSTREAM_PROTOCOL_ERROR, framing.why)
        self._framing = framing
        self.is_done = framing.kind == "none" or framing.length == 0
        self.answer = Head(status, reason, headers, version, framing.kind, framing.length)

    def on_body(self, body: bytes) -> None:
        if self.is_done:
            self.is_tainted = True
            return
        self.chunks.append(body)
        self.buffered += len(body)

    def on_message_complete(self) -> None:
        if self.answer is None or self.is_raw:
            return
        if self.is_done and self._method == "HEAD" and _is_coded(self.answer.headers):
            self.is_tainted = True  # a last chunk, where there should be no body at all
        self.is_done = True

    def _switches(self, status: int, version: str, headers: Headers) -> bool:
        """Whether this interim answer is the last one, because HTTP ends here."""
        if status != 101:
            return False
        if not self._may_switch:
            self._refuse_head(UPSTREAM_PROTOCOL_ERROR, "101 without a request to upgrade")
        if why := refused_switch(version, headers):
            self._refuse_head(UPSTREAM_PROTOCOL_ERROR, why)
        return True

    def _read_over(self) -> None:
        self._interim += 1
        if self._interim > MAX_INTERIM:
            self._refuse_head(UPSTREAM_PROTOCOL_ERROR, f"more than {MAX_INTERIM} interim answers")


def _ends_head(data: bytes) -> bool:
    """Whether nothing stands behind the end of a head that was completed within `data`."""
    return data.endswith(_HEAD_END) or _HEAD_END.endswith(data)


def _is_coded(headers: Headers) -> bool:
    return any(name.lower() == b"transfer-encoding" for name, _ in headers)
