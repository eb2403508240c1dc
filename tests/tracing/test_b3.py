"""B3 is read as Zipkin writes it, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.tracing.b3 import B3, read_b3

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEX = st.text("0123456789abcdef", min_size=16, max_size=16).filter(lambda t: set(t) != {"0"})


@pytest.mark.parametrize(
    ("value", "read"),
    [
        pytest.param(f"{TRACE}-{SPAN}-1", B3(TRACE, SPAN, True), id="sampled"),
        pytest.param(f"{TRACE}-{SPAN}-0", B3(TRACE, SPAN, False), id="not sampled"),
        pytest.param(f"{TRACE}-{SPAN}-d", B3(TRACE, SPAN, True), id="debug is sampled"),
        pytest.param(f"{TRACE}-{SPAN}", B3(TRACE, SPAN, None), id="left to us"),
        pytest.param(f"{TRACE}-{SPAN}-1-{'a' * 16}", B3(TRACE, SPAN, True), id="with a parent"),
        pytest.param(f"{TRACE[:16]}-{SPAN}-1", B3("0" * 16 + TRACE[:16], SPAN, True), id="64 bits"),
        pytest.param("0", B3("", "", False), id="a decision alone"),
        pytest.param(f"{'0' * 32}-{SPAN}-1", None, id="a trace of zeros"),
        pytest.param(f"{TRACE}-{'0' * 16}-1", None, id="a span of zeros"),
        pytest.param(f"{TRACE}-{SPAN}-2", None, id="no such decision"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_single_header(value: str, read: B3 | None) -> None:
    assert read == read_b3({b"b3": value.encode()})


@pytest.mark.parametrize(
    ("unusual", "read"),
    [
        pytest.param({}, B3(TRACE, SPAN, None), id="left to us"),
        pytest.param({b"x-b3-sampled": b"1"}, B3(TRACE, SPAN, True), id="sampled"),
        pytest.param({b"x-b3-sampled": b"false"}, B3(TRACE, SPAN, False), id="as old clients say"),
        pytest.param(
            {b"x-b3-flags": b"1", b"x-b3-sampled": b"0"}, B3(TRACE, SPAN, True), id="debug"
        ),
        pytest.param({b"x-b3-spanid": b"x"}, None, id="no span"),
        pytest.param(
            {b"x-b3-traceid": b"", b"x-b3-sampled": b"0"}, B3("", "", False), id="decision alone"
        ),
        pytest.param({b"b3": b"0"}, B3("", "", False), id="the single header is the stronger one"),
        pytest.param({b"b3": b"x"}, B3(TRACE, SPAN, None), id="but not a malformed one"),
    ],
)
def test_the_headers_with_a_name_each(unusual: dict[bytes, bytes], read: B3 | None) -> None:
    fields = {b"x-b3-traceid": TRACE.encode(), b"x-b3-spanid": SPAN.encode()} | unusual

    assert read == read_b3(fields)


@given(HEX, HEX, st.sampled_from(["", "-0", "-1", "-d"]))
def test_whatever_is_written_is_read(trace: str, span: str, decision: str) -> None:
    read = read_b3({b"b3": f"{trace * 2}-{span}{decision}".upper().encode()})

    assert read == B3(trace * 2, span, {"": None, "-0": False}.get(decision, True))


@given(st.binary(max_size=80))
def test_nonsense_never_raises(value: bytes) -> None:
    read = read_b3({b"b3": value})

    assert read is None or len(read.trace_id) in (0, 32)
