"""A reader of pipelined requests, written from RFC 9112 and RFC 9110: slow, and whole strings only.

It shares no line with the code under test. Where our limits or our strictness go beyond the
standard, it says so. A head may have several faults, and which of them is met first depends on how
the bytes are cut: so the end of reading is the set of all statuses that would be right.
"""

from dataclasses import dataclass, field

CRLF = b"\r\n"
ALPHA = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGIT = b"0123456789"
TCHAR = b"!#$%&'*+-.^_`|~" + DIGIT + ALPHA
LONGEST_CHUNK_LINE = 4096
"""A limit of ours: RFC 9112 §7.1.1 asks for one and leaves its size open."""


@dataclass(frozen=True)
class Limits:
    """Lengths in bytes; the two times are there for whoever takes all limits of a connection."""

    header_bytes: int = 32 * 1024
    head_bytes: int = 48 * 1024
    header_count: int = 128
    uri_bytes: int = 16 * 1024
    request_head: float = 10.0
    keep_alive: float = 75.0


@dataclass
class Message:
    """One request; `is_whole` says whether the end of its body was there."""

    method: str
    target: str
    version: tuple[int, int]
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    is_whole: bool = True


@dataclass
class Reading:
    """What a string holds; `ends` is empty where nothing is wrong with it."""

    messages: list[Message] = field(default_factory=list)
    ends: set[int] = field(default_factory=set)


def read(data: bytes, limits: Limits) -> Reading:
    """Read all requests of a connection, up to the last one that it may carry."""
    reading = Reading()
    while True:
        while data.startswith(CRLF):  # RFC 9112 §2.2
            data = data[2:]
        head, found, rest = data.partition(CRLF + CRLF)
        if not found:
            reading.ends = faults_of_part(data, limits)
            return reading
        message, faults = read_head(head, limits)
        if message is None:
            reading.ends = faults
            return reading
        reading.messages.append(message)
        data, is_broken = read_body(message, rest)
        if is_broken:
            reading.ends = {400}
            return reading
        if not message.is_whole or closes(message):
            return reading


def is_token(name: bytes) -> bool:
    return name != b"" and all(byte in TCHAR for byte in name)


def is_value(value: bytes) -> bool:
    """RFC 9110 §5.5: VCHAR, obs-text, SP and HTAB."""
    return all(byte == 9 or (byte >= 32 and byte != 127) for byte in value)


def values_of(message: Message, name: bytes) -> list[bytes]:
    return [value for key, value in message.headers if key.lower() == name]


def members(values: list[bytes]) -> list[bytes]:
    return [member.strip(b" \t").lower() for member in b",".join(values).split(b",")]


def closes(message: Message) -> bool:
    """Whether it is the last of its connection; `keep-alive` of HTTP/1.0 is not honoured here."""
    return message.version == (1, 0) or b"close" in members(values_of(message, b"connection"))


def read_head(head: bytes, limits: Limits) -> tuple[Message | None, set[int]]:
    """A head without its empty line: the message, or what is wrong with it."""
    start, *lines = head.split(CRLF)
    message, faults = read_start(start, limits)
    faults |= faults_of_lengths(lines, limits)
    if len(lines) > limits.header_count:
        faults.add(431)
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not is_token(name) or not is_value(value):
            faults.add(400)
        message.headers.append((name, value.strip(b" \t")))
    faults |= faults_of_framing(message) | faults_of_host(message)
    return (None, faults) if faults else (message, faults)


def read_start(start: bytes, limits: Limits) -> tuple[Message, set[int]]:
    """RFC 9112 §3. Beyond it: a method begins with a letter, a target is UTF-8."""
    faults = {414} if len(start) > limits.uri_bytes else set()
    method, _, rest = start.partition(b" ")
    target, _, version = rest.lstrip(b" ").partition(b" ")
    message = Message(method.decode("latin-1"), target.decode("utf-8", "replace"), (1, 1), [])
    if not is_token(method) or method[0] not in ALPHA or not is_target(target):
        faults.add(400)
    digits = version.removeprefix(b"HTTP/")
    if len(version) != 8 or len(digits) != 3 or digits[1:2] != b".":
        return message, faults | {400}
    if digits[0] not in DIGIT or digits[2] not in DIGIT:
        return message, faults | {400}
    if digits[0:1] != b"1":
        return message, faults | {505}
    if target[0:1] != b"/" and not (target == b"*" and method == b"OPTIONS"):
        faults.add(400)  # other forms are not read here
    message.version = (1, 0) if digits[2:] == b"0" else (1, 1)  # RFC 9110 §2.5
    return message, faults


def is_target(target: bytes) -> bool:
    try:
        target.decode()
    except UnicodeDecodeError:
        return False
    return target != b"" and b"#" not in target and all(b > 32 and b != 127 for b in target)


def faults_of_lengths(lines: list[bytes], limits: Limits) -> set[int]:
    total = sum(len(line) + 2 for line in lines)
    longest = max((len(line) for line in lines), default=0)
    return {431} if total > limits.head_bytes or longest > limits.header_bytes else set()


def faults_of_host(message: Message) -> set[int]:
    """RFC 9112 §3.2: exactly one in HTTP/1.1, and an authority without user information."""
    hosts = values_of(message, b"host")
    if len(hosts) > 1 or (not hosts and message.version == (1, 1)):
        return {400}
    allowed = ALPHA + DIGIT + b"-._~:"
    return {400} if any(byte not in allowed for host in hosts for byte in host) else set()


def faults_of_framing(message: Message) -> set[int]:
    """RFC 9112 §6; both framings at once are refused, which §6.1 allows."""
    codings = values_of(message, b"transfer-encoding")
    lengths = values_of(message, b"content-length")
    if lengths and (len(lengths) > 1 or not is_length(lengths[0])):
        return {400, 501} if codings else {400}
    if not codings:
        return set()
    if lengths or len(codings) > 1 or codings[0] == b"" or message.version == (1, 0):
        return {400, 501}
    return set() if codings[0].lower() == b"chunked" else {400, 501}


def is_length(text: bytes) -> bool:
    if text == b"" or any(byte not in DIGIT for byte in text):
        return False
    value = 0
    for byte in text:  # int() has a limit of its own
        value = min(value * 10 + byte - ord("0"), 1 << 64)
    return value < 1 << 64


def faults_of_part(data: bytes, limits: Limits) -> set[int]:
    """What is wrong with the beginning of a head, whatever follows."""
    if data in (b"", b"\r"):
        return set()  # the half of an empty line is not the beginning of anything
    faults = {400} if data[0] not in ALPHA else set()
    for at, byte in enumerate(data):
        if byte == 10 and data[at - 1 : at] != b"\r":
            faults.add(400)  # RFC 9112 §2.2 lets a server take it for a line's end; we do not
        if byte == 13 and data[at + 1 : at + 2] not in (b"\n", b""):
            faults.add(400)
    if data.endswith(b"\r"):
        data = data[:-1]  # the half of a line's end
    start, found, rest = data.partition(CRLF)
    if not found:
        return faults | ({414} if len(start) > limits.uri_bytes else set())
    longest = max(len(line) for line in rest.split(CRLF))
    if len(rest) > limits.head_bytes or longest > limits.header_bytes:
        faults.add(431)
    return faults | read_start(start, limits)[1]


def read_body(message: Message, data: bytes) -> tuple[bytes, bool]:
    """Put the body into the message; what is behind it, and whether it is broken."""
    if values_of(message, b"transfer-encoding"):
        return read_chunks(message, data)
    lengths = values_of(message, b"content-length")
    length = int(lengths[0].lstrip(b"0") or b"0") if lengths else 0
    message.body, rest = data[:length], data[length:]
    message.is_whole = len(message.body) == length
    return rest, False


def read_chunks(message: Message, data: bytes) -> tuple[bytes, bool]:
    """RFC 9112 §7.1: chunks, the last chunk, trailers, an empty line."""
    message.is_whole = False
    while True:
        line, data = read_line(data)
        if line is None:
            return data, len(data) > LONGEST_CHUNK_LINE
        size = chunk_size(line)
        if size is None:
            return data, True
        if size == 0:
            return read_trailers(message, data)
        message.body += data[:size]
        if len(data) < size:
            return b"", False
        line, data = read_line(data[size:])
        if line is None:
            return data, len(data) > LONGEST_CHUNK_LINE
        if line != CRLF:
            return data, True


def read_line(data: bytes) -> tuple[bytes | None, bytes]:
    """A line with its end, None where no end has come; and the rest."""
    end = data.find(b"\n") + 1
    return (data[:end], data[end:]) if end else (None, data)


def chunk_size(line: bytes) -> int | None:
    """None for what is no size; extensions are read over."""
    size, _, extension = line[:-2].partition(b";")
    if len(line) > LONGEST_CHUNK_LINE or not line.endswith(CRLF) or not is_value(extension):
        return None
    if not 0 < len(size) <= 16 or any(byte not in DIGIT + b"abcdefABCDEF" for byte in size):
        return None
    return int(size, 16) if int(size, 16) < 1 << 62 else None


def read_trailers(message: Message, data: bytes) -> tuple[bytes, bool]:
    """Trailers are read over (RFC 9110 §6.5.1); none may frame the message."""
    while True:
        line, data = read_line(data)
        if line is None:
            return data, len(data) > LONGEST_CHUNK_LINE
        if line == CRLF:
            message.is_whole = True
            return data, False
        name, colon, value = line[:-2].partition(b":")
        frames = name.lower() in (b"content-length", b"transfer-encoding")
        is_field = line.endswith(CRLF) and colon and is_token(name) and is_value(value)
        if frames or not is_field:
            return data, True
