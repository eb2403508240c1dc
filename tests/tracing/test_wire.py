"""What is written by hand is what the library reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from proxy.tracing.wire import MOST, SpanAttribute, key_value, sized, text_heads, varint

TEXT = st.text(max_size=300)
NUMBERS = st.integers(0, (1 << 63) - 1)


@given(TEXT, TEXT)
def test_text(key: str, value: str) -> None:
    read = KeyValue.FromString(key_value(key, value))

    assert (key, value) == (read.key, read.value.string_value)


@given(NUMBERS)
def test_numbers(value: int) -> None:
    assert value == KeyValue.FromString(key_value("n", value)).value.int_value


@given(st.booleans())
def test_flags(value: bool) -> None:
    read = KeyValue.FromString(key_value("b", value)).value

    assert ("bool_value", value) == (read.WhichOneof("value"), read.bool_value)


@given(st.lists(TEXT, max_size=20))
def test_what_is_remembered_reads_as_what_was_written(values: list[str]) -> None:
    attribute = SpanAttribute("key")
    written = b"".join(attribute.of(value) for value in [*values, *values])
    read = Span.FromString(written).attributes

    assert [*values, *values] == [one.value.string_value for one in read]


@given(st.lists(TEXT, max_size=20))
def test_what_comes_once_reads_as_what_was_written(values: list[str]) -> None:
    heads, lines = text_heads("key"), []
    for value in values:
        data = value.encode()
        lines += heads.of(len(data)), data
    read = Span.FromString(b"".join(lines)).attributes

    assert values == [one.value.string_value for one in read]


@pytest.mark.parametrize("length", [0, 1, 127, 128, MOST - 1, MOST, 16_383, 16_384])
def test_the_head_of_a_text_is_that_of_its_length(length: int) -> None:
    heads = text_heads("key")
    for _ in "once", "again":
        (read,) = Span.FromString(heads.of(length) + b"x" * length).attributes

        assert length == len(read.value.string_value)


def test_no_more_values_are_remembered_than_recur() -> None:
    attribute = SpanAttribute("key")
    for n in range(2000):
        attribute.of(str(n))
        attribute.of_number(n)
    attribute.of("x" * 1000)

    assert len(attribute._known) <= MOST


def test_half_a_character_is_no_reason_to_fail() -> None:
    assert "?" == KeyValue.FromString(key_value("a", "\udcff")).value.string_value


def test_lengths_of_every_size() -> None:
    for size in (0, 1, 127, 128, 16_383, 16_384, 1 << 21):
        assert size == len(Span.FromString(sized(b"\x2a", b"x" * size)).name)
    assert b"\xac\x02" == varint(300)
