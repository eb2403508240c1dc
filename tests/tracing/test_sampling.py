"""Who decides which exchanges become spans, and what upstreams are told of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import outcome as o
from proxy.exchange import Exchange
from proxy.tracing.record import SpanRecord
from proxy.tracing.sampling import Sampler
from proxy.tracing.trace_flags import flags_of
from tests.records import exchange

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEX = "0123456789abcdef"


def parent(flags: str = "01", trace: str = TRACE, span: str = SPAN) -> dict[bytes, bytes]:
    return {b"traceparent": f"00-{trace}-{span}-{flags}".encode()}


def begun(sampler: Sampler, fields: dict[bytes, bytes]) -> tuple[Exchange, SpanRecord | None]:
    x = exchange()
    return x, sampler.begin(x, fields, "http")


def own(span: SpanRecord) -> str:
    return span.ids[16:24].hex()


def ids(length: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=length, max_size=length).filter(lambda t: set(t) != {"0"})


@given(ids(32), ids(16), st.text(HEX, min_size=2, max_size=2))
def test_trace_and_flags_are_the_parents_and_the_span_is_ours(
    trace: str, span_id: str, flags: str
) -> None:
    x, span = begun(Sampler(failures=True), parent(flags, trace, span_id))

    assert (span_id, flags) == (span.parent_id.hex(), span.flags.digits)
    assert (trace, 32) == (span.ids[:16].hex(), len(span.ids))
    assert own(span) != span_id
    assert bool(int(flags, 16) & 1) == span.sampled == (x.span_id == own(span))
    assert trace == x.trace_id


@given(st.binary(max_size=120))
def test_what_is_no_parent_never_raises_and_never_becomes_one(value: bytes) -> None:
    _, span = begun(Sampler(), {b"traceparent": value})

    assert span is None or span.sampled
    assert span is None or len(span.ids) == 32


@given(ids(32))
def test_the_same_share_takes_the_same_traces_as_an_sdk(trace: str) -> None:
    sampler = Sampler(0.25, follow_parent=False)
    _, span = begun(sampler, parent("01", trace))

    assert (int(trace[16:], 16) < 1 << 62) == (span is not None)


def test_a_trace_that_is_not_sampled_keeps_its_parent() -> None:
    x, span = begun(Sampler(), parent("00"))

    assert span is None
    assert (TRACE, SPAN) == (x.trace_id, x.span_id)


def test_with_no_share_no_trace_begins() -> None:
    x, span = begun(Sampler(0), {})

    assert span is None
    assert "" == x.trace_id


def test_a_root_that_the_share_leaves_out_is_told_so_and_names_nothing() -> None:
    x, span = begun(Sampler(1e-12), {})

    assert (False, "00") == (span.sampled, span.flags.digits)
    assert "" == x.trace_id


@pytest.mark.parametrize(
    ("flags", "told"), [("00", "01"), ("02", "03"), ("01", "01"), ("ff", "ff")]
)
def test_where_parents_are_not_followed_the_bit_is_ours_alone(flags: str, told: str) -> None:
    _, span = begun(Sampler(follow_parent=False), parent(flags))

    assert told == span.flags.digits


def test_who_asks_to_be_sampled_is_not_where_parents_are_not_followed() -> None:
    _, span = begun(Sampler(0, follow_parent=False), parent("01"))

    assert span is None


@pytest.mark.parametrize(
    ("rule", "unusual", "kept"),
    [
        pytest.param({"failures": True}, {"outcome": o.HEAD_TIMEOUT}, True, id="a failure"),
        pytest.param({"failures": True}, {"outcome": None}, True, id="a fault without an outcome"),
        pytest.param({"failures": True}, {"outcome": o.COMPLETED}, False, id="no failure"),
        pytest.param(
            {"failures": True},
            {"outcome": o.CIRCUIT_OPEN, "status": 503},
            True,
            id="a refusal that is an error of its span",
        ),
        pytest.param(
            {"failures": True},
            {"outcome": o.UPSTREAM_ERROR, "upstream_status": 404},
            False,
            id="their 404 is none",
        ),
        pytest.param({"slow": 2.0}, {"outcome": o.COMPLETED, "ended": 3.0}, True, id="slow"),
        pytest.param({"slow": 4.0}, {"outcome": o.COMPLETED, "ended": 3.0}, False, id="quick"),
        pytest.param({"slow": 4.0}, {"outcome": o.HEAD_TIMEOUT}, False, id="failures by option"),
    ],
)
def test_failures_and_slow_ones_are_taken_at_the_end(rule, unusual, kept) -> None:
    sampler = Sampler(0, **rule)
    x, span = begun(sampler, parent("00"))
    for name, value in unusual.items():
        setattr(x, name, value)
    sampler.end(x, span)

    assert kept == span.sampled
    assert (TRACE, own(span) if kept else SPAN) == (x.trace_id, x.span_id)
    assert "00" == span.flags.digits


@pytest.mark.parametrize(("rule", "kept"), [({"slow": 4.0}, True), ({"failures": True}, False)])
def test_other_seconds_count_as_slow_where_slow_ones_are_taken(rule, kept) -> None:
    sampler = Sampler(0, **rule)
    x, span = begun(sampler, parent("00"))
    x.outcome, x.ended = o.COMPLETED, 3.0
    sampler.take(2.0)
    sampler.end(x, span)

    assert kept == span.sampled


def test_a_state_goes_on_with_a_valid_parent_only() -> None:
    b3 = {b"b3": f"{TRACE}-{SPAN}-1".encode()}
    given = [parent(), b3, {}, {b"traceparent": b"00-x"}]
    spans = [begun(Sampler(b3=True), fields)[1] for fields in given]

    assert [True, False, False, False] == [s.keeps_state for s in spans]


def test_b3_that_says_no_is_followed() -> None:
    x, span = begun(Sampler(b3=True), {b"b3": b"0"})

    assert (False, "00") == (span.sampled, span.flags.digits)
    assert "" == x.trace_id


def test_no_two_spans_have_an_id_in_common() -> None:
    spans = [begun(Sampler(), fields)[1] for fields in ({}, {}, parent(), parent())]

    assert 8 == len({one for s in spans for one in (own(s), s.attempt_id.hex())})
    assert {16} == {len(one) for s in spans for one in (own(s), s.attempt_id.hex())}
    assert 3 == len({s.ids[:16] for s in spans})


def test_each_attempt_has_its_own_parent_in_an_otherwise_equal_head() -> None:
    span = SpanRecord(bytes.fromhex(TRACE + SPAN + "a" * 16), b"", flags_of("03"))
    first = b"GET / HTTP/1.1\r\nHost: a\r\n" + span.line + b"\r\n"
    written = [first, span.another(first, b"\xbb" * 8)]

    assert [
        f"GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{TRACE}-{one * 16}-03\r\n\r\n".encode()
        for one in "ab"
    ] == written
    assert b"\xbb" * 8 == span.attempt_id
    assert f"traceparent: 00-{TRACE}-{'b' * 16}-03\r\n".encode() == span.line
