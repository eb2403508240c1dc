"""What clients may send on one connection: strategies for hypothesis."""

from hypothesis import strategies as st

from tests.client.faults import FAULTS
from tests.client.reference import ALPHA, TCHAR

URI = bytes(range(0x21, 0x7F)).replace(b"#", b"")


def some(alphabet: bytes, least: int = 0, most: int = 8) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(alphabet), min_size=least, max_size=most).map(bytes)


tokens = some(TCHAR, 1)
methods = st.builds(bytes.__add__, some(ALPHA, 1, 1), some(TCHAR)) | st.sampled_from(
    [b"GET", b"POST", b"HEAD", b"get", b"PRI", b"M-SEARCH"]
)
targets = st.builds(
    bytes.__add__,
    st.just(b"/"),
    some(URI) | st.text("aü漢/?%", max_size=5).map(str.encode),
)
values = some(b"\t !,;:azAZ09\x80\xff")
field_lines = st.builds(
    lambda name, before, value, after: name + b":" + before + value + after + b"\r\n",
    tokens | st.sampled_from([b"Cookie", b"Connection", b"Upgrade", b"Expect", b"X_Y"]),
    some(b" \t", 0, 2),
    values,
    some(b" \t", 0, 2),
)
upgrades = st.sampled_from([
    b"",
    b"",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Connection: upgrade, close\r\nUpgrade: foo/1\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n",
])  # fmt: skip
closing = st.sampled_from([b"", b"", b"", b"", b"Connection: keep-alive, Close\r\n"])
versions = st.sampled_from([b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/1.9"])
payloads = st.binary(max_size=40) | st.just(b"GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n")
extensions = st.just(b"") | values.map(lambda value: b";" + value)
sizes = st.sampled_from([b"%x", b"%X", b"00%x"])


@st.composite
def chunked(draw: st.DrawFn) -> bytes:
    """A chunked body with all that may stand in one."""
    parts = []
    for piece in draw(st.lists(payloads.filter(bool), max_size=4)):
        parts += [draw(sizes) % len(piece), draw(extensions), b"\r\n", piece, b"\r\n"]
    parts += [draw(st.sampled_from([b"0", b"000"])), draw(extensions), b"\r\n"]
    trailers = st.lists(field_lines, max_size=2) | st.just([b"Authorization: Bearer alice\r\n"])
    return b"".join([*parts, *draw(trailers), b"\r\n"])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The line that frames a body, and the body."""
    kind = draw(st.sampled_from(["none", "counted", "chunked"]))
    if kind == "none":
        return b"", b""
    if kind == "chunked":
        coding = draw(st.sampled_from([b"chunked", b"Chunked", b" chunked "]))
        return b"Transfer-Encoding:" + coding + b"\r\n", draw(chunked())
    body = draw(payloads)
    return draw(st.sampled_from([b"Content-Length: %d\r\n", b"content-length:0%d\r\n"])) % len(
        body
    ), body


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    framing, body = draw(bodies())
    lines = [b"Host: h\r\n", framing, draw(upgrades), draw(closing)]
    lines += draw(st.lists(field_lines, max_size=3))
    start = b"%b %b %b\r\n" % (draw(methods), draw(targets), draw(versions))
    return start + b"".join(draw(st.permutations(lines))) + b"\r\n" + body


faulty = st.sampled_from(FAULTS)


@st.composite
def parts_of(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """The beginning of one."""
    request = draw(whole)
    return request[: draw(st.integers(0, len(request)))]


@st.composite
def mutated(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """One with some bytes put in place of others."""
    request = draw(whole)
    at = draw(st.integers(0, len(request)))
    end = draw(st.integers(at, min(len(request), at + 3)))
    return request[:at] + draw(some(b"\r\n\t :;0a\0\x7f\xff", 0, 3)) + request[end:]


pipelines = st.builds(
    lambda whole, between, tail: b"".join(map(bytes.__add__, between, whole)) + tail,
    st.lists(requests(), max_size=4),
    st.lists(st.sampled_from([b"", b"", b"\r\n", b"\r\n\r\n"]), min_size=4, max_size=4),
    st.just(b"") | faulty | parts_of(requests()),
)  # fmt: skip
"""Any number of good requests, and behind them nothing, a fault, or a part of one."""
