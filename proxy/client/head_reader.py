"""Parses one request's head: the request line by us, the header lines by llhttp.

The parser sees one whole head at a time, always as `POST / HTTP/1.1`: any token is a method here
and any UTF-8 a target, and neither changes how header lines are to be read. It never sees a body;
so what it does at the end of messages, or behind an `Upgrade`, cannot matter.

A refusal keeps of the head what can be read of it, for its record: nothing of that is acted on.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from proxy import outcome as o
from proxy.http.request_head import RequestHead, read_request
from proxy.outcome import Outcome

_LINE = re.compile(
    rb"([A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]*) +([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])"
)
_OTHER = re.compile(rb"(?:.* )?([A-Z][A-Z0-9]{1,15}/[0-9]\.[0-9])")
_METHOD = re.compile(rb"[A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]{0,63} ")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS = re.compile(rb"[\0\r\n]")
_START: Final = b"POST / HTTP/1.1\r\n"
_CODING: Final = b"transfer-encoding"
_LENGTH: Final = b"content-length"
_USUAL_LINE: Final = 256
_TLS: Final = 0x16


class HeadLimits(Protocol):
    """What bounds a head; sizes in bytes."""

    @property
    def header_bytes(self) -> int:
        """One header line."""

    @property
    def header_count(self) -> int:
        """Number of header lines."""

    @property
    def head_bytes(self) -> int:
        """All header lines together."""

    @property
    def uri_bytes(self) -> int:
        """The request line."""


class RequestRefusal:
    """Why a request is not read any further, and what could be read of its head."""

    def __init__(self, outcome: Outcome, why: str, asked: RequestHead) -> None:
        self.outcome = outcome
        self.why = why
        """Technical words; internal, never sent to a client."""
        self.asked = asked


class RequestLine:
    """Method, target and version of a request line, or what is wrong with it."""

    def __init__(
        self, method: str, target: str, version: tuple[int, int], refused: Outcome | None, why: str
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.refused = refused
        self.why = why


def read_line(line: bytes) -> RequestLine:
    """Read a request line without its end (RFC 9112 §3)."""
    return _read_usual(line) if len(line) <= _USUAL_LINE else _read_line(line)


def _read_line(line: bytes) -> RequestLine:
    match = _LINE.fullmatch(line)
    if match is None:
        return _refused_line(line, o.BAD_REQUEST, _wrong(line))
    try:
        target = match[2].decode()
    except UnicodeDecodeError:
        return _refused_line(line, o.BAD_REQUEST, "a target that is no UTF-8")
    major, minor = int(match[3]), int(match[4])
    if major != 1:
        refused = o.HTTP_VERSION_NOT_SUPPORTED
        return RequestLine(match[1].decode(), target, (major, minor), refused, f"HTTP/{major}")
    version = (1, min(minor, 1))  # a higher minor version is served as ours: RFC 9110 §2.5
    return RequestLine(match[1].decode(), target, version, None, "")


# Request lines repeat; only short ones are remembered, for clients make them up.
_read_usual = lru_cache(maxsize=1024)(_read_line)


def _refused_line(line: bytes, outcome: Outcome, why: str) -> RequestLine:
    """What a refused line says of method and target, for the record."""
    method = _METHOD.match(line)
    if method is None:
        return RequestLine("", "", (1, 1), outcome, why)
    target = line[method.end() :].lstrip(b" ").partition(b" ")[0]
    return RequestLine(
        method[0][:-1].decode(), target.decode("utf-8", "replace"), (1, 1), outcome, why
    )


def _wrong(line: bytes) -> str:
    if line[:1] and line[0] == _TLS:
        return "a TLS hello on a port that speaks plain HTTP"
    other = _OTHER.fullmatch(line)
    if other is not None and not other[1].startswith(b"HTTP/"):
        return f"{other[1].decode()} spoken, not HTTP"
    return "no request line of HTTP"


class HeadReader:
    """Reads header lines with llhttp; one is enough for any number of connections, for it holds
    nothing from one head to the next."""

    def __init__(self) -> None:
        self._parser: HttpRequestParser | None = None
        self._named: dict[bytes, bytes] = {}
        self.on_header: Callable[[bytes, bytes], None] = self._named.__setitem__
        """Called by llhttp for each line, and not by way of Python; a repeated one is missing."""
        self._reading: HttpRequestParser | None = None
        self._is_ready = False
        """Whether the parser has seen a whole message, and may see another one."""

    def read(
        self, line: RequestLine, head: bytes, limits: HeadLimits
    ) -> RequestHead | RequestRefusal:
        """Read the head `head`, whose request line without its end is `line`.

        Both are within the limits of length; here the header lines are counted.
        """
        count = head.count(b"\n") - 2
        if count > limits.header_count:
            return refusal_of(line, head, limits, o.HEADERS_TOO_LARGE, "too many header lines")
        lines = _START + head.partition(b"\r\n")[2]
        try:
            why = self._parse(lines)
            raw = tuple(self._named.items())
        finally:
            self._named.clear()
        if not why and len(raw) != count:
            raw = _repeated(lines)
        if b" \r" in head or b"\t\r" in head:
            raw = tuple([(name, value.rstrip(b" \t")) for name, value in raw])
        if why:
            raw = tuple(header_lines(head, limits.header_count))  # the parser has not seen all
            return refusal_of(line, head, limits, _coding_refused(raw) or o.BAD_REQUEST, why)
        asked = read_request(line.method, line.target, line.version, raw, should_close=False)
        if _CODING in asked.fields and (refused := _coding_refused(raw)):
            return refusal_of(line, head, limits, refused, "a transfer coding other than chunked")
        return asked

    def _parse(self, lines: bytes) -> str:
        """Header lines into `_named`; what is wrong with them, if something is."""
        parser = self._reading = self._parser or HttpRequestParser(self)
        self._parser = None
        self._is_ready = False
        try:
            parser.feed_data(lines)
        except HttpParserUpgrade:
            return ""
        except HttpParserError as error:
            return f"header lines: {error.args[0] if error.args else 'refused'}"
        if self._is_ready:
            self._parser = parser
        return ""

    def on_message_complete(self) -> None:
        parser = self._reading
        self._is_ready = parser is not None and parser.should_keep_alive()


class _HeaderLines:
    """What llhttp calls where a name is repeated."""

    def __init__(self) -> None:
        self.lines: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name, value))


def _repeated(lines: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """All of what was parsed without a fault, but for those whose names stand there again."""
    seen = _HeaderLines()
    with suppress(HttpParserUpgrade):
        HttpRequestParser(seen).feed_data(lines)
    return tuple(seen.lines)


def _coding_refused(raw: tuple[tuple[bytes, bytes], ...]) -> Outcome | None:
    """501 for a transfer coding that we do not know, 400 for a faulty one.

    llhttp is not asked: with an `Upgrade` it lets every coding pass.
    """
    codings = [value for name, value in raw if name.lower() == _CODING]
    if not codings or (len(codings) == 1 and codings[0].lower() == b"chunked"):
        return None
    if len(codings) > 1 or not codings[0] or any(name.lower() == _LENGTH for name, _ in raw):
        return o.BAD_REQUEST
    return o.NOT_IMPLEMENTED


def refusal_of(
    line: RequestLine, head: bytes, limits: HeadLimits, outcome: Outcome, why: str
) -> RequestRefusal:
    """A refusal with what can be read of `head`, which may be unfinished."""
    part = head[: limits.uri_bytes + limits.head_bytes]
    raw = tuple(header_lines(part, limits.header_count))
    asked = read_request(line.method, line.target, line.version, raw, should_close=True)
    return RequestRefusal(outcome, why, asked)


def header_lines(head: bytes, most: int) -> list[tuple[bytes, bytes]]:
    """Those of the first `most` header lines of a head that look like such."""
    found = []
    for line in head.split(b"\r\n", most + 1)[1 : most + 1]:
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and _NAME.fullmatch(name) and not _CONTROLS.search(value):
            found.append((name, value.strip(b" \t")))
    return found
