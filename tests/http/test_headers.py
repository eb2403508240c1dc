"""Which headers pass, which stop here, and what is added."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.headers import (
    HOP_BY_HOP,
    appended,
    combine,
    is_host,
    list_members,
    nominated,
    to_client,
    to_upstream,
)

few = settings(max_examples=50, deadline=None, database=None)
TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
names = st.lists(st.sampled_from(TOKEN), min_size=1, max_size=12).map(bytes)
values = st.lists(st.sampled_from([9, *range(32, 127), *range(128, 256)]), max_size=20).map(bytes)
fields = st.lists(st.tuples(names, values), max_size=8)
NOTHING: frozenset[bytes] = frozenset()


def spelt(name: bytes) -> bytes:
    """`name` in another case."""
    return name.upper() if name.islower() else name.swapcase()


@few
@given(fields)
def test_other_headers_pass_byte_for_byte_in_their_order(raw: list[tuple[bytes, bytes]]) -> None:
    raw = [(b"X-" + name, value) for name, value in raw]

    assert b"".join(name + b": " + value + b"\r\n" for name, value in raw) == to_upstream(
        raw, None, NOTHING
    )
    assert to_upstream(raw, None, NOTHING) == to_client(raw, None, NOTHING)


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_hop_by_hop_headers_stop_both_ways(name: bytes) -> None:
    raw = [(name, b"1"), (spelt(name), b"2"), (b"Kept", b"3")]

    assert b"Kept: 3\r\n" == to_upstream(raw, None, NOTHING)
    assert b"Kept: 3\r\n" == to_client(raw, None, NOTHING)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"Content-Length", id="framing is written anew"),
        pytest.param(b"Expect", id="100-continue is answered here"),
        pytest.param(b"Forwarded", id="a client's word on who it is"),
        pytest.param(b"X-Forwarded-For", id="the same in the older words: address"),
        pytest.param(b"X-Forwarded-Host", id="host"),
        pytest.param(b"X-Forwarded-Proto", id="scheme"),
        pytest.param(b"X-Forwarded-Prefix", id="prefix"),
        pytest.param(b"X-Forwarded-Port", id="port"),
        pytest.param(b"X-Forwarded-Scheme", id="scheme in other words"),
        pytest.param(b"X-Forwarded-User", id="who it is"),
        pytest.param(b"X-Forwarded-Email", id="whose mail it is"),
        pytest.param(b"X-Forwarded-Client-Cert", id="by which certificate"),
        pytest.param(b"X-Forwarded-Whatever-Comes", id="what nobody thought of yet"),
        pytest.param(b"X-Forwarded", id="what came before Forwarded"),
        pytest.param(b"X-Real-IP", id="nginx's word for the address"),
        pytest.param(b"Proxy", id="what CGI takes for a setting"),
        pytest.param(b"X_Forwarded_For", id="a spoof that CGI would read as the real one"),
        pytest.param(b"Via", id="the list that we join"),
        pytest.param(b"X-Sidelight-Error", id="our own namespace"),
        pytest.param(b"X_SIDELIGHT_anything", id="our own namespace in disguise"),
    ],
)
def test_what_we_write_ourselves_is_not_taken_from_the_client(name: bytes) -> None:
    raw = [(name, b"1"), (spelt(name), b"2")]

    assert b"" == to_upstream(raw, None, NOTHING)


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        pytest.param(b"X-Forwarded-Port", True, id="what only a proxy knows"),
        pytest.param(b"X-Forwarded-Client-Cert", True, id="the certificate it saw"),
        pytest.param(b"X-Real-IP", True, id="nginx's word for the address"),
        pytest.param(b"X-Forwarded-For", False, id="what we write"),
        pytest.param(b"X-Forwarded-Prefix", False, id="what we write too"),
        pytest.param(b"Forwarded", False, id="the same"),
        pytest.param(b"Proxy", False, id="what nobody means"),
        pytest.param(b"X-Sidelight-Error", False, id="our own namespace"),
    ],
)
def test_what_a_trusted_proxy_says_goes_on(name: bytes, passes: bool) -> None:
    assert passes == bool(to_upstream([(name, b"1")], None, NOTHING, trusted=True))


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        pytest.param(b"Content-Length", False, id="framing is written anew"),
        pytest.param(b"X-Sidelight-Error", False, id="our own namespace"),
        pytest.param(b"Via", True, id="whom the answer has passed"),
        pytest.param(b"Set-Cookie", True, id="a cookie"),
    ],
)
def test_what_the_client_gets_of_the_upstreams_headers(name: bytes, passes: bool) -> None:
    assert passes == bool(to_client([(name, b"1")], None, NOTHING))


@pytest.mark.parametrize("pass_on", [to_upstream, to_client])
def test_what_the_caller_writes_itself_stops(pass_on) -> None:
    raw = [(b"X-Request-ID", b"1"), (b"x-request-id", b"2")]

    assert b"" == pass_on(raw, None, frozenset({b"x-request-id"}))


@pytest.mark.parametrize("pass_on", [to_upstream, to_client])
def test_what_connection_names_stops(pass_on) -> None:
    raw = [(b"Connection", b"close, X-Foo"), (b"X-FOO", b"1"), (b"x_foo", b"2"), (b"Bar", b"3")]

    assert b"Bar: 3\r\n" == pass_on(raw, b"close, X-Foo", NOTHING)


@pytest.mark.parametrize("pass_on", [to_upstream, to_client])
def test_a_long_list_of_names_is_heard_too(pass_on) -> None:
    nominations = b", ".join(b"x-%d" % number for number in range(1000))

    assert b"" == pass_on([(b"X-999", b"1")], nominations, NOTHING)


@pytest.mark.parametrize(
    ("connection", "stopped"),
    [
        pytest.param(None, set(), id="no Connection"),
        pytest.param(b"", set(), id="an empty one"),
        pytest.param(b"close", set(), id="close is no header"),
        pytest.param(b"keep-alive", {b"keep-alive"}, id="keep-alive is one"),
        pytest.param(b"close, X-Foo", {b"x-foo"}, id="one beside close"),
        pytest.param(b" ,X-A ,\t, x-B,", {b"x-a", b"x-b"}, id="a ragged list"),
        pytest.param(b"Host, X-A", {b"x-a"}, id="never the host"),
        pytest.param(b"my_header", {b"my-header"}, id="in the spelling that is compared"),
    ],
)
def test_which_names_connection_nominates(connection: bytes | None, stopped: set[bytes]) -> None:
    assert stopped == nominated(connection)


@pytest.mark.parametrize(
    ("raw", "combined"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([(b"A", b"1"), (b"B", b"")], {b"a": b"1", b"b": b""}, id="one each"),
        pytest.param([(b"A", b"1"), (b"a", b"2")], {b"a": b"1, 2"}, id="repeated ones joined"),
        pytest.param([(b"A", b""), (b"a", b"2")], {b"a": b", 2"}, id="an empty one counts"),
    ],
)
def test_combine(raw: list[tuple[bytes, bytes]], combined: dict[bytes, bytes]) -> None:
    assert combined == combine(raw)


@few
@given(st.lists(names, max_size=6))
def test_a_list_is_read_as_it_was_written(members: list[bytes]) -> None:
    members = [member.lower() for member in members]

    assert members == list_members(b" ,\t".join(members))


@pytest.mark.parametrize(
    ("value", "good"),
    [
        pytest.param(b"", True, id="none, as for a target without authority"),
        pytest.param(b"chat.example", True, id="a name"),
        pytest.param(b"chat.example:8080", True, id="name and port"),
        pytest.param(b"chat.example:", True, id="an empty port"),
        pytest.param(b"my_service", True, id="a name of docker's"),
        pytest.param(b"192.0.2.1:80", True, id="IPv4"),
        pytest.param(b"[2001:db8::1]:80", True, id="IPv6"),
        pytest.param(b"2001:db8::1", False, id="IPv6 without brackets"),
        pytest.param(b"[2001:db8::1", False, id="an open bracket"),
        pytest.param(b":80", False, id="a port alone"),
        pytest.param(b"a:b", False, id="a port that is no number"),
        pytest.param(b"a:123456", False, id="a port beyond all ports"),
        pytest.param(b"user@a", False, id="user information"),
        pytest.param(b"a, b", False, id="two hosts, joined"),
        pytest.param(b"a/b", False, id="a path"),
        pytest.param(b"a?b", False, id="a query"),
        pytest.param(b"a#b", False, id="a fragment"),
        pytest.param(b"a\\b", False, id="a backslash"),
        pytest.param(b'a"b', False, id="a quote"),
        pytest.param(b"a b", False, id="a space"),
        pytest.param(b"caf\xc3\xa9", False, id="not ASCII"),
        pytest.param(b"a\n", False, id="a line end"),
        pytest.param(b"a" * 261, True, id="the longest"),
        pytest.param(b"a" * 262, False, id="one too long for DNS"),
    ],
)
def test_what_is_a_host(value: bytes, good: bool) -> None:
    assert good == is_host(value)


@pytest.mark.parametrize(
    ("inherited", "field"),
    [
        pytest.param(None, b"b", id="a new list"),
        pytest.param(b"", b"b", id="an empty one"),
        pytest.param(b"a", b"a, b", id="one more"),
    ],
)
def test_appended(inherited: bytes | None, field: bytes) -> None:
    assert field == appended(inherited, b"b")
