"""Whose request ID is kept, and where in a trace a request stands."""

import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from proxy.http.identity import identify, new_id, other_ids, trace_place
from proxy.http.rules import IdentityRule

few = settings(max_examples=50, deadline=None, database=None)
PLAIN = re.compile(r"[A-Za-z0-9._:=/+#|@~,-]{1,200}")
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01".encode()


@pytest.mark.parametrize(
    "given_id",
    [
        pytest.param(b"a", id="one character"),
        pytest.param(b"Ab9._-:=/+#|@~,", id="every kind of character"),
        pytest.param(b"x" * 200, id="200 characters"),
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
        pytest.param(b"x" * 201, True, "x" * 201, id="one character too long"),
        pytest.param(b"a" * 10_000, True, "a" * 1024, id="ten kilobytes"),
        pytest.param(b"a b", True, "a b", id="a space"),
        pytest.param(b"one, two", True, "one, two", id="two of them"),
        pytest.param(b"a\r\nSet-Cookie: x", True, "a\r\nSet-Cookie: x", id="a line break"),
        pytest.param(b"good\n", True, "good\n", id="a line end after a good one"),
        pytest.param(b".", True, ".", id="a lone dot, which no link could lead to"),
        pytest.param(b"..", True, "..", id="two of them, which lead elsewhere"),
        pytest.param(b'a"b', True, 'a"b', id="a quote"),
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
@given(st.binary(max_size=300), st.booleans())
def test_an_id_is_always_plain(given_id: bytes, kept: bool) -> None:
    request_id, replaced = identify(given_id, kept=kept)

    assert PLAIN.fullmatch(request_id)
    assert replaced is None or len(replaced) <= 1024


NAMES = ((b"x-request-id", "X-Request-ID"), (b"request-id", "Request-ID"), (b"cf-ray", "CF-Ray"))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({b"x-request-id": b"ours"}, None, id="our own comes back"),
        pytest.param({b"x-request-id": b"", b"cf-ray": b""}, None, id="empty ones"),
        pytest.param(
            {b"cf-ray": b"8a", b"request-id": b"req_1"},
            {"Request-ID": "req_1", "CF-Ray": "8a"},
            id="in the order of the settings",
        ),
        pytest.param({b"cf-ray": b"x" * 9999}, {"CF-Ray": "x" * 1024}, id="a long one is cut"),
    ],
)
def test_the_ids_of_the_upstreams_own(
    fields: dict[bytes, bytes], found: dict[str, str] | None
) -> None:
    got = other_ids(fields, NAMES, "ours")

    assert found == got
    assert list(found or {}) == list(got or {})


def test_an_echo_of_our_own_header_is_looked_for_first() -> None:
    rule = IdentityRule(header="X-Correlation-ID", upstream_ids=("CF-Ray", "x-correlation-id"))

    assert [b"x-correlation-id", b"cf-ray"] == [key for key, _ in rule.other_ids]


def test_ids_of_the_upstream_are_looked_for_in_headers() -> None:
    with pytest.raises(ValidationError, match="is not the name of a header"):
        IdentityRule(upstream_ids=("a b",))


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
    assert TRACE_ID + SPAN_ID == trace_place(parent).hex()


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
        pytest.param(b"cc" + PARENT[2:] + b"-x, " + PARENT, id="two, one of a version to come"),
    ],
)
def test_without_a_valid_trace_none_is_invented(parent: bytes | None) -> None:
    assert b"" == trace_place(parent)


@few
@given(st.binary(max_size=70))
def test_whatever_comes_a_whole_place_is_recorded_or_none(parent: bytes) -> None:
    assert len(trace_place(parent)) in (0, 24)
