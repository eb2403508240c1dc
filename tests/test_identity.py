"""Whose request ID is kept, and where in a trace a request stands."""

import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy.identity import identify, new_id, place_of
from proxy.rules import IdentityRule

few = settings(max_examples=50, deadline=None, database=None)
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,128}")
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01".encode()


@pytest.mark.parametrize(
    "given_id",
    [
        pytest.param(b"a", id="one character"),
        pytest.param(b"Ab9._-", id="every kind of character"),
        pytest.param(b"x" * 128, id="128 characters"),
    ],
)
def test_a_valid_id_of_a_trusted_client_is_kept(given_id: bytes) -> None:
    assert (given_id.decode(), None) == identify(given_id, kept=True)


@pytest.mark.parametrize(
    ("given_id", "kept", "recorded"),
    [
        pytest.param(None, True, None, id="none was sent"),
        pytest.param(b"", True, None, id="an empty one"),
        pytest.param(b"good", False, "good", id="one of a client that is not trusted"),
        pytest.param(b"x" * 129, True, "x" * 129, id="one character too long"),
        pytest.param(b"a" * 10_000, True, "a" * 1024, id="ten kilobytes"),
        pytest.param(b"a b", True, "a b", id="a space"),
        pytest.param(b"one, two", True, "one, two", id="two of them"),
        pytest.param(b"a\r\nSet-Cookie: x", True, "a\r\nSet-Cookie: x", id="a line break"),
        pytest.param(b"good\n", True, "good\n", id="a line end after a good one"),
        pytest.param(b"caf\xc3\xa9", True, "caf\xc3\xa9", id="not ASCII"),
        pytest.param("٣".encode(), True, "Ù£", id="digits of another alphabet"),
    ],
)
def test_any_other_id_is_replaced_and_recorded(
    given_id: bytes | None, kept: bool, recorded: str | None
) -> None:
    request_id, replaced = identify(given_id, kept=kept)

    assert 4 == uuid.UUID(request_id).version
    assert recorded == replaced


@few
@given(st.binary(max_size=200), st.booleans())
def test_an_id_is_always_plain(given_id: bytes, kept: bool) -> None:
    request_id, replaced = identify(given_id, kept=kept)

    assert PLAIN.fullmatch(request_id)
    assert replaced is None or len(replaced) <= 128


def test_new_ids_are_random_uuids_that_differ() -> None:
    made = [new_id() for _ in range(1000)]

    assert made == [str(uuid.UUID(one)) for one in made]
    assert {(4, uuid.RFC_4122)} == {
        (uuid.UUID(one).version, uuid.UUID(one).variant) for one in made
    }
    assert 1000 == len(set(made))


@pytest.mark.parametrize("header", ["", "X Request", "X-Request-ID:", "X-Ü", "X" * 65])
def test_the_header_of_the_id_is_a_header(header: str) -> None:
    with pytest.raises(ValidationError):
        IdentityRule(header=header)


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(PARENT, id="a sampled one"),
        pytest.param(PARENT[:-2] + b"00", id="one that is not sampled"),
        pytest.param(PARENT[:-2] + b"fd", id="flags that nobody knows yet"),
        pytest.param(b"cc" + PARENT[2:], id="a version to come"),
        pytest.param(b"cc" + PARENT[2:] + b"-what.ever", id="a version to come, with more"),
    ],
)
def test_trace_and_span_are_the_clients_own(parent: bytes) -> None:
    assert (TRACE_ID, SPAN_ID) == place_of(parent)


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="an empty one"),
        pytest.param(b"ff" + PARENT[2:], id="version ff"),
        pytest.param(PARENT + b"-more", id="version 00 with more"),
        pytest.param(b"cc" + PARENT[2:] + b"more", id="more without a dash"),
        pytest.param(PARENT.replace(TRACE_ID.encode(), b"0" * 32), id="a trace of zeros"),
        pytest.param(PARENT.replace(SPAN_ID.encode(), b"0" * 16), id="a span of zeros"),
        pytest.param(PARENT.upper(), id="upper case"),
        pytest.param(PARENT[:-1], id="one digit short"),
        pytest.param(b" " + PARENT, id="a space before it"),
        pytest.param(PARENT + b", " + PARENT, id="two of them"),
    ],
)
def test_without_a_valid_trace_none_is_invented(parent: bytes | None) -> None:
    assert ("", "") == place_of(parent)


@few
@given(st.binary(max_size=70))
def test_whatever_comes_only_hex_is_recorded(parent: bytes) -> None:
    trace_id, span_id = place_of(parent)

    assert re.fullmatch(r"([0-9a-f]{32})?", trace_id)
    assert re.fullmatch(r"([0-9a-f]{16})?", span_id)
