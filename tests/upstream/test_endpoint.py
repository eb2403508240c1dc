"""Where an endpoint is, and when it may be used."""

from typing import cast

import pytest

from proxy.upstream.connection import Connection
from proxy.upstream.endpoint import Endpoint, authority_of


@pytest.mark.parametrize(
    ("url", "host", "port", "is_tls"),
    [
        ("http://a", "a", 80, False),
        ("https://a", "a", 443, True),
        ("https://[::1]:8443", "::1", 8443, True),
    ],
)
def test_the_port_may_be_left_to_the_scheme(url, host, port, is_tls):
    endpoint = Endpoint(url)

    assert (host, port, is_tls) == (endpoint.host, endpoint.addresses._port, endpoint.is_tls)


@pytest.mark.parametrize(
    ("url", "authority"),
    [("http://a:8000/base", b"a:8000"), ("unix:/run/app.sock", b"localhost")],
)
def test_its_authority_is_what_a_host_header_says(url, authority):
    assert authority == authority_of(url)


def test_a_failed_check_an_ejection_and_a_rest_each_keep_it_from_use():
    fine, sick, ejected, resting = (Endpoint("http://127.0.0.1") for _ in range(4))
    sick.health.healthy = False
    ejected.ejection.eject(30, "why", 0)
    resting.ejection.rest(5, "why", 0)

    assert [True, False, False, False] == [
        each.is_available(1) for each in (fine, sick, ejected, resting)
    ]
    assert resting.is_available(5)
    assert not ejected.is_available(31), "its probe is to come first"


def test_a_slow_start_grows_evenly_from_a_tenth():
    endpoint = Endpoint("http://127.0.0.1")
    endpoint.warm_since = 100.0

    assert [0.1, 0.1, 0.5, 1.0, 1.0] == [
        endpoint.heat(at, 10.0) for at in (100.0, 100.5, 105.0, 110.0, 200.0)
    ]
    assert 1.0 == endpoint.heat(100.0, 0.0)


def test_what_is_idle_is_not_in_use():
    endpoint = Endpoint("http://127.0.0.1")
    endpoint.slots = 3
    endpoint.idle[cast("Connection", object())] = None

    assert 2 == endpoint.in_use


def test_several_addresses_of_a_name_are_told_apart():
    endpoint = Endpoint("http://a:80")
    named = endpoint.name
    endpoint.address = "10.0.0.1"

    assert ("http://a:80", "http://a:80 (10.0.0.1)") == (named, endpoint.name)
