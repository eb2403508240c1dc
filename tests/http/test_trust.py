"""Whose words about others are believed."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.trust import Peers, parsed_address

few = settings(max_examples=50, deadline=None, database=None)
INSIDE = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
PEERS = Peers(proxies=INSIDE, identities=(ip_network("192.0.2.7/32"),))


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        pytest.param("10.1.2.3", True, id="inside"),
        pytest.param("11.0.0.1", False, id="outside"),
        pytest.param("2001:db8::1", True, id="inside, IPv6"),
        pytest.param("2001:db9::1", False, id="outside, IPv6"),
        pytest.param("::ffff:10.1.2.3", True, id="inside, seen through an IPv6 socket"),
        pytest.param("2001:db8::1%eth0", True, id="inside, with a zone"),
        pytest.param("", False, id="a unix socket"),
        pytest.param("unknown", False, id="no address"),
    ],
)
def test_which_peer_is_a_trusted_proxy(address: str, trusted: bool) -> None:
    assert trusted == PEERS.is_proxy(address)


def test_those_who_name_ids_are_trusted_apart() -> None:
    assert PEERS.names_ids("192.0.2.7")
    assert not PEERS.names_ids("10.1.2.3")
    assert not PEERS.is_proxy("192.0.2.7")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_by_default_nobody_is_trusted(address: str) -> None:
    assert not Peers().is_proxy(address)
    assert not Peers().names_ids(address)


@pytest.mark.parametrize(
    ("forwarded_for", "origin"),
    [
        pytest.param(b"192.0.2.1", "192.0.2.1", id="one client"),
        pytest.param(b"192.0.2.1, 10.0.0.2", "192.0.2.1", id="behind a second proxy"),
        pytest.param(b"6.6.6.6, 192.0.2.1, 10.0.0.2", "192.0.2.1", id="its own word is not heard"),
        pytest.param(b"10.0.0.3,10.0.0.2", "10.0.0.3", id="a client inside"),
        pytest.param(b"192.0.2.1, unknown, 10.0.0.2", "10.0.0.2", id="a gap ends the chain"),
        pytest.param(b"192.0.2.1,,10.0.0.2", "10.0.0.2", id="so does an empty member"),
        pytest.param(b"", "10.0.0.1", id="nothing said"),
        pytest.param(b"\xff\xfe", "10.0.0.1", id="rubbish"),
        pytest.param(b" 192.0.2.1:4711 ", "192.0.2.1", id="with a port"),
        pytest.param(b"[2001:db9::1]:4711", "2001:db9::1", id="IPv6 with a port"),
        pytest.param(b"::ffff:192.0.2.1", "192.0.2.1", id="IPv4 mapped into IPv6"),
    ],
)
def test_the_origin_is_the_nearest_that_is_no_proxy(forwarded_for: bytes, origin: str) -> None:
    assert origin == PEERS.origin("10.0.0.1", forwarded_for)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", id="IPv4"),
        pytest.param("192.0.2.1:80", "192.0.2.1", id="with port"),
        pytest.param("2001:DB8::1", "2001:db8::1", id="IPv6"),
        pytest.param("[2001:db8::1]", "2001:db8::1", id="in brackets"),
        pytest.param("[2001:db8::1]:80", "2001:db8::1", id="in brackets with port"),
        pytest.param("fe80::1%eth0", "fe80::1", id="with a zone"),
        pytest.param("example.com", "None", id="a name"),
        pytest.param("010.0.0.1", "None", id="maybe octal"),
        pytest.param("[]", "None", id="empty brackets"),
        pytest.param(":", "None", id="a colon"),
    ],
)
def test_parsed(text: str, address: str) -> None:
    assert address == str(parsed_address(text))


@few
@given(st.ip_addresses())
def test_every_address_is_parsed_as_it_is_written(address) -> None:
    mapped = getattr(address, "ipv4_mapped", None)

    assert (mapped or address) == parsed_address(str(address))


@few
@given(st.binary(max_size=40))
def test_whatever_is_said_there_is_an_origin(forwarded_for: bytes) -> None:
    origin = PEERS.origin("10.0.0.1", forwarded_for)

    assert origin == str(parsed_address(origin))
