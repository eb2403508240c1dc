"""The team's own fields: where they are taken from, and what is kept of them."""

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.request_head import RequestHead, read_request
from proxy.observation.custom_fields import MAX_VALUE, MOST_PARAMETERS, CustomFields
from proxy.settings.sections import ObservedField

KEY = b"k" * 16

few = settings(max_examples=50, deadline=None, database=None)


def asked(*headers: tuple[bytes, bytes], target: str = "/") -> RequestHead:
    return read_request("GET", target, (1, 1), headers, should_close=False)


def taken(inbound: RequestHead, **source: object) -> str | None:
    return CustomFields({"it": ObservedField(**source)}, KEY).of(inbound).get("it")


def hashed(value: bytes) -> str:
    return hmac.digest(KEY, value, "sha256").hex()[:16]


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        pytest.param([(b"x-user", b"7")], "7", id="one header, in any case"),
        pytest.param([(b"X-User", b"7"), (b"X-USER", b"8")], "7, 8", id="repeated ones joined"),
        pytest.param([(b"X-User", "é".encode())], "é", id="UTF-8"),
        pytest.param([(b"X-User", b"\xff")], "\ufffd", id="what is no UTF-8"),
        pytest.param([(b"X-User", b"")], None, id="an empty one is none"),
        pytest.param([], None, id="none"),
    ],
)
def test_a_field_from_a_header(headers: list[tuple[bytes, bytes]], value: str | None) -> None:
    assert value == taken(asked(*headers), header="X-User")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        pytest.param("/talks/42/messages?x", "42", id="a part of the path"),
        pytest.param("//talks/./%34%32/messages", "42", id="however it is spelt"),
        pytest.param("/talks/42", None, id="another path"),
    ],
)
def test_a_field_from_the_path(target: str, value: str | None) -> None:
    assert value == taken(asked(target=target), path="/talks/{id}/messages")


@pytest.mark.parametrize(
    ("target", "value"),
    [
        pytest.param("/?a=1&talk=4+2&b", "4 2", id="a parameter"),
        pytest.param("/?talk=%C3%A9", "é", id="decoded"),
        pytest.param("/?talk=1&talk=2", "1", id="the first of two"),
        pytest.param("/?talk=", None, id="an empty one is none"),
        pytest.param("/talk=1", None, id="no query"),
    ],
)
def test_a_field_from_the_query(target: str, value: str | None) -> None:
    assert value == taken(asked(target=target), query="talk")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param({"header": "X-Api-Key"}, "[redacted]", id="a header with a secret's name"),
        pytest.param({"query": "token"}, "[redacted]", id="a parameter with a secret's name"),
        pytest.param({"path": "/{token}"}, "p", id="a capture is named by the team itself"),
        pytest.param(
            {"header": "X-Api-Key", "hash": True},
            hashed(b"h"),
            id="a hash gives nothing away",
        ),
    ],
)
def test_secrets_are_not_recorded(source: dict[str, object], value: str) -> None:
    inbound = asked((b"X-Api-Key", b"h"), target="/p?token=q")

    assert value == taken(inbound, **source)


def test_each_field_is_taken_on_its_own() -> None:
    take = CustomFields(
        {
            "user": ObservedField(header="X-User", hash=True),
            "talk": ObservedField(query="talk"),
            "team": ObservedField(header="X-Team"),
        },
        KEY,
    ).of

    assert {"user": hashed(b"7"), "talk": "42"} == take(
        asked((b"X-User", b"7"), target="/?talk=42")
    )


@few
@given(st.binary(max_size=30), st.text(max_size=30))
def test_whatever_comes_is_taken_or_left(value: bytes, query: str) -> None:
    take = CustomFields(
        {
            "header": ObservedField(header="X-User", hash=True),
            "path": ObservedField(path="/{rest...}"),
            "query": ObservedField(query="talk"),
        }
    ).of
    found = take(asked((b"X-User", value), target=f"/a?talk={query}"))

    assert bool(value) == ("header" in found)


def test_a_hash_cannot_be_made_without_the_key() -> None:
    field = {"it": ObservedField(header="X-User", hash=True)}
    inbound = asked((b"X-User", b"me@example.com"))

    assert CustomFields(field, b"a" * 16).of(inbound) != CustomFields(field, b"b" * 16).of(inbound)


def test_a_parameter_is_found_however_its_name_is_spelt() -> None:
    assert "1" == taken(asked(target="/?%74alk=1"), query="talk")
    assert "1" == taken(asked(target="/?my+talk=1"), query="my talk")


def test_no_more_parameters_than_so_many_are_looked_at() -> None:
    near = "a&" * (MOST_PARAMETERS - 1) + "talk=1&talk=2"
    far = f"a&{near}"

    assert "1" == taken(asked(target=f"/?{near}"), query="talk")
    assert taken(asked(target=f"/?{far}"), query="talk") is None


def test_values_are_cut() -> None:
    inbound = asked((b"X-User", b"x" * (MAX_VALUE + 1)))

    assert "x" * MAX_VALUE == taken(inbound, header="X-User")
