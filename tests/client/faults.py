"""Requests that are wrong in one way, and a few that only look so."""

FRAMINGS = [
    b"Transfer-Encoding: " + coding
    for coding in (
        b"",
        b"gzip",
        b"gzip, chunked",
        b"chunked, gzip",
        b",chunked",
        b"chunked,",
        b"chunked;q=1",
        b"xchunked",
        b"\x0bchunked",
        b"chunked\r\nTransfer-Encoding: chunked",
        b"chunked\r\nContent-Length: 3",
        b"x\r\nContent-Length: 3",
    )
] + [
    b"Content-Length: " + length
    for length in (
        b"",
        b"+3",
        b"-3",
        b"3, 3",
        b"3 3",
        b"0x3",
        b"3\r\nContent-Length: 3",
        b"9" * 20,
        b"9" * 5000,
        b"0" * 5000 + b"3",
        b"\xb2",
    )
]
CHUNKS = [
    b"+2\r\nhi\r\n0\r\n\r\n",
    b"2 \r\nhi\r\n0\r\n\r\n",
    b"2\nhi\n0\n\n",
    b"2\r\nhi\n0\r\n\r\n",
    b"2\r\nhi!\r\n",
    b"2\rhi\r\n",
    b"0x2\r\nhi\r\n",
    b"\r\n",
    b"g\r\n",
    b"1" + b"0" * 16 + b"\r\n",
    b"f" * 16 + b"\r\n",
    b"2;a\x00\r\nhi\r\n",
    b"0\r\nContent-Length: 3\r\n\r\n",
    b"0\r\n X: y\r\n",
    b"0\r\nX : y\r\n",
    b"0\r\nX\r\n",
    b"0\r\nX: a\rb\r\n",
    b"0\r\nX: y\n\r\n",
]
LINES = [
    b"X : y",
    b" X: y",
    b"X: y\r\n folded",
    b"X",
    b": y",
    b"X: \0",
    b"X: a\rb",
    b"X: a\nb",
    b"X\x7f: y",
    b"X: \x7f",
    b"X: \x01",
    b"Host: i",
    b"Host: a b",
    b"X: " + b" " * 300 + b"\0",
]
STARTS = [
    b"!",
    b"\0" * 9,
    b"\x16\x03\x01\x02\x00\r\n\r\n",
    b"1 / HTTP/1.1\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET  / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1 \r\n\r\n",
    b"GET /\xff HTTP/1.1\r\n\r\n",
    b"GET / HTTP/2.0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"OPTIONS * RTSP/1.0\r\n\r\n",
    b"GET / HTTP/1.10\r\n\r\n",
    b"GET / http/1.1\r\n\r\n",
    b"GET /a b HTTP/1.1\r\n\r\n",
    b"GET /\n",
    b"GET /\rx",
    b"\n\n",
    b"\r\r\n",
    b"\rGET",
    b"GET / HTTP/1.1\r\nHost: h\n\n",
    b"GET / HTTP/1.1\r\nHost: h\r\n\n",
    b"G" * 40,
    b"GET / HTTP/1.1\r\nX: " + b"x" * 200,
]


def framed(line: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: h\r\n" + line + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


def upgraded(line: bytes) -> bytes:
    return framed(b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + line)


def broken(chunks: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


FAULTS = [
    *map(framed, FRAMINGS + LINES),
    *map(upgraded, FRAMINGS),
    *map(broken, CHUNKS),
    *STARTS,
]
