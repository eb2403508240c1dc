"""Whose request ID is kept, and where in a trace a request stands."""

import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy.identity import Trace, identify, new_id, trace
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
    ("parent", "flags"),
    [
        pytest.param(PARENT, "01", id="a sampled one"),
        pytest.param(PARENT[:-2] + b"00", "00", id="one that is not sampled"),
        pytest.param(PARENT[:-2] + b"03", "03", id="with random bits, as level 2 knows"),
        pytest.param(PARENT[:-2] + b"fd", "01", id="unknown flags are sent as 0"),
        pytest.param(b"cc" + PARENT[2:], "01", id="a version to come"),
        pytest.param(b"cc" + PARENT[2:] + b"-what.ever", "01", id="a version to come, with more"),
    ],
)
def test_a_valid_trace_is_continued(parent: bytes, flags: str) -> None:
    place = trace(parent, b"a=1")

    assert (TRACE_ID, flags, b"a=1") == (place.trace_id, place.flags, place.state)
    assert SPAN_ID != place.span_id
    assert f"00-{TRACE_ID}-{place.span_id}-{flags}".encode() == place.parent


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
def test_without_a_valid_trace_a_new_one_begins(parent: bytes | None) -> None:
    place = trace(parent, b"a=1")

    assert TRACE_ID != place.trace_id
    assert place.state is None
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-01", place.parent)


@few
@given(st.binary(max_size=70), st.none() | st.binary(max_size=70))
def test_whatever_comes_a_valid_trace_goes_on(parent: bytes, state: bytes | None) -> None:
    place = trace(parent, state)

    assert place.trace_id == trace(place.parent, None).trace_id


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(b"", None, id="an empty one"),
        pytest.param(b"a=" + b"1" * 510, b"a=" + b"1" * 510, id="512 bytes"),
        pytest.param(b"a=" + b"1" * 511, None, id="one member that is too long"),
        pytest.param(b"a=1, b=" + b"1" * 510, b"a=1", id="the oldest member is left out"),
        pytest.param(b"a=" + b"1" * 510 + b",b=1", b"a=" + b"1" * 510, id="cut at its comma"),
    ],
)
def test_the_state_is_cut_in_whole_members(state: bytes | None, kept: bytes | None) -> None:
    assert kept == trace(PARENT, state).state


def test_a_trace_is_written_as_w3c_says() -> None:
    assert PARENT == Trace(TRACE_ID, SPAN_ID).parent
