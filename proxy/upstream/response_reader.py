"""Parses one response of the upstream at a time: llhttp, and the limits that it does not have.

Knows no socket and no clock: bytes go in by `feed`, heads and body bytes come out, and what is
wrong becomes `failure`.
One parser serves one response and is dropped at its end: after the response to a HEAD request it
would wait for the announced body and swallow the next response.

Bytes after the end are `is_tainted`: the connection is never used again.
(Line ends alone after it go unseen; the next parser reads over them too.)
"""

from typing import NoReturn

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from proxy import outcome as o
from proxy.http.framing import (
    Headers,
    Malformed,
    ResponseHead,
    ends_head,
    is_coded,
    parse_framing,
    read_as,
)
from proxy.http.headers import combine
from proxy.outcome import Outcome
from proxy.upstream.blanks import Unpadded, is_padded
from proxy.upstream.interim import InterimHeads
from proxy.upstream.response import Response
from proxy.upstream.rules import UpstreamRule

_OF_TRAILERS = frozenset(
    {
        "Content-Length can't be present with Transfer-Encoding",
        "Invalid header field char",
        "Invalid header token",
    }
)
"""What the parser says of header lines: behind chunks that are trailers, and the body is whole."""


class ResponseReader(Response):
    """Reads one response after the other, each begun by `expect`."""

    __slots__ = (
        "_fed", "_headers", "_interims", "_max_head", "_max_headers", "_method", "_parser",
        "_reason", "_room", "_unpadded",
    )  # fmt: skip

    def __init__(self, endpoint: str, limits: UpstreamRule) -> None:
        super().__init__(endpoint)
        self._max_head, self._max_headers = limits.max_head, limits.max_headers
        self._interims = InterimHeads()
        self._parser: HttpResponseParser | None = None
        self._room = self._max_head

    def reset(self) -> None:
        """Forget the last response; no bytes are awaited until `expect`."""
        self._parser = None
        self._room = self._max_head
        self.clear()

    def expect(self, method: str, *, may_switch: bool = False) -> None:
        """The response to a request with `method` comes next.

        `may_switch` says that the request asked for a WebSocket: only then is a 101 final.
        """
        self._method = method
        self._interims.begin(may_switch=may_switch)
        self._begin_head()

    def feed(self, data: bytes) -> bool:
        """Take bytes; what they bring is in `head`, `chunks` and `failure`. Whether that is all."""
        parser = self._parser
        if parser is None:
            self._feed_unparsed(data)
            return False
        try:
            if self.head is None:
                self._feed_head(parser, data)
            else:
                before = self.buffered
                parser.feed_data(data)
                if self.buffered != before:
                    self._room = self._max_head
                else:
                    self._count_no_body(len(data))
        except HttpParserError as error:
            self._refuse_bytes(error)
        except HttpParserUpgrade as switched:
            self._parser = None
            self._feed_unparsed(data[switched.args[0] :])
        if self.is_done or self.failure is not None:
            self._parser = None
            return True
        return False

    def stop(self) -> None:
        """Read nothing more, and let go of the parser, which holds the reader."""
        self._parser = None

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the response has arrived."""
        return self._room < self._max_head or self.head is not None

    def _begin_head(self) -> None:
        self._parser = parser = HttpResponseParser(self)
        # versions, and bytes behind a `Connection: close` (of an interim head too), are judged here
        parser.set_dangerous_leniencies(
            lenient_version=True, lenient_keep_alive=True, lenient_spaces_after_chunk_size=True
        )
        self._headers: Headers = []
        self._reason = b""
        self._fed: list[bytes] = []
        self._unpadded: Unpadded | None = None

    def _feed_unparsed(self, data: bytes) -> None:
        if not self.is_raw:
            self.is_tainted = True
        elif data:
            self.on_body(data)

    def _feed_head(self, parser: HttpResponseParser, data: bytes) -> None:
        room = self._room
        self._room = room - len(data)
        of_head = data if self._room >= 0 else data[:room]
        if self._unpadded is None:
            self._feed_as_sent(parser, of_head)
        else:
            self._feed_lines(self._unpadded, of_head)
        if self.head is None:
            if self._room < 0:
                self.fail(o.UPSTREAM_HEADERS_TOO_LARGE, f"head over {self._max_head} bytes")
            return
        if self.framing.kind == "none" and not ends_head(data):
            self.is_tainted = True
        self._fed = []
        self._room = self._max_head
        if room < len(data):
            self.feed(data[room:])

    def _feed_as_sent(self, parser: HttpResponseParser, data: bytes) -> None:
        self._fed.append(data)
        try:
            parser.feed_data(data)
        except HttpParserError:
            head = b"".join(self._fed)
            if self.head is not None or self.failure is not None or not is_padded(head):
                raise
            self._interims.begin_anew()
            self._begin_head()
            self._unpadded = Unpadded()
            self._feed_lines(self._unpadded, head)

    def _feed_lines(self, unpadded: Unpadded, data: bytes) -> None:
        """Feed a head whose lines have blanks before the colon."""
        for line in unpadded.feed(data):
            if self._parser is None:
                break
            try:
                self._parser.feed_data(line)
            except HttpParserUpgrade:
                self._parser = None
            if self.head is not None:
                if self.is_done:
                    self._parser = None
                self.feed(unpadded.rest)
                break

    def _count_no_body(self, size: int) -> None:
        """Chunk extensions and trailers are dropped, but may not go on for ever."""
        self._room -= size
        if self._room < 0 and not self.is_done:
            self.fail(o.STREAM_MALFORMED, "chunk extensions or trailers without end")

    def _refuse_bytes(self, error: HttpParserError) -> None:
        if self.is_done:
            self.is_tainted = True
        elif self.head is None:
            self.fail(o.UPSTREAM_PROTOCOL_ERROR, str(error))
        elif self.framing.kind == "chunked" and str(error) in _OF_TRAILERS:
            self.is_done = self.is_tainted = True
        else:
            self.fail(o.STREAM_MALFORMED, str(error))

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
        if len(headers) > self._max_headers:
            self._refuse_head(o.UPSTREAM_HEADERS_TOO_LARGE, f"{len(headers)} header lines")
        version = parser.get_http_version()
        if version != "1.1":
            version = read_as(version)
        if 100 <= status < 200:
            self._take_interim(ResponseHead(status, reason, headers, version, "none", None))
            return
        fields = combine(headers)
        framing = parse_framing(self._method, status, version, fields)
        if isinstance(framing, Malformed):
            self._refuse_head(o.UPSTREAM_PROTOCOL_ERROR, framing.why)
        self.framing = framing
        kind, length = framing.kind, framing.length
        self.is_done = kind == "none" or length == 0
        self.head = ResponseHead(status, reason, headers, version, kind, length, fields)

    def on_body(self, body: bytes) -> None:
        if self.is_done:
            self.is_tainted = True
            return
        self.chunks.append(body)
        self.buffered += len(body)

    def on_message_complete(self) -> None:
        if self.head is None or self.is_raw:
            return
        if self.is_done and self._method == "HEAD" and is_coded(self.head.headers):
            self.is_tainted = True  # a last chunk, where there should be no body at all
        self.is_done = True

    def _take_interim(self, head: ResponseHead) -> None:
        """A 101 that was asked for is the last head, because HTTP ends there."""
        if why := self._interims.refusal(head):
            self._refuse_head(o.UPSTREAM_PROTOCOL_ERROR, why)
        if head.status == 101:
            self.switch(head)
        elif self._interims.is_passed_on(head):
            self.interim.append(head)
