"""Whose turn it is."""

import pytest

from proxy.upstream.endpoints import DOWN_FOR, Endpoint, Endpoints

URLS = (("http://a", 1), ("http://b", 1), ("http://c", 1))


@pytest.fixture
def changes():
    return []


@pytest.fixture
def endpoints(changes):
    return Endpoints(URLS, lambda change: changes.append((change.endpoint, change.kind)))


def chosen(endpoints, count, now=0.0, avoid=None):
    return [endpoints.choose(now, avoid).url[-1] for _ in range(count)]


def test_they_take_turns(endpoints):
    assert list("abcab") == chosen(endpoints, 5)


def test_one_that_is_down_is_left_out_for_a_while(endpoints):
    endpoints.mark_down(endpoints.all[1], 10.0, "why")

    assert list("acac") == chosen(endpoints, 4, now=10.0)
    assert list("abc") == chosen(endpoints, 3, now=10.0 + DOWN_FOR)


def test_one_that_just_failed_is_avoided_once(endpoints):
    assert list("bcb") == chosen(endpoints, 3, avoid="http://a")


def test_a_down_one_is_better_than_the_one_to_avoid():
    two = Endpoints(URLS[:2], lambda change: None)
    two.mark_down(two.all[1], 0.0, "why")

    assert chosen(two, 1, avoid="http://a") == ["b"]


def test_where_all_are_down_they_take_turns(endpoints):
    for endpoint in endpoints.all:
        endpoints.mark_down(endpoint, 0.0, "why")

    assert list("abca") == chosen(endpoints, 4)


def test_the_only_one_is_used_whatever_happened():
    only = Endpoints(URLS[:1], lambda change: None)
    only.mark_down(only.all[0], 0.0, "why")

    assert chosen(only, 1, avoid="http://a") == ["a"]


def test_only_changes_are_told(endpoints, changes):
    endpoint = endpoints.all[0]
    endpoints.mark_up(endpoint)
    endpoints.mark_down(endpoint, 0.0, "why")
    endpoints.mark_down(endpoint, 1.0, "why")
    endpoints.mark_up(endpoint)

    assert changes == [("http://a", "down"), ("http://a", "up")]
    assert list("abc") == chosen(endpoints, 3, now=1.0)


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
