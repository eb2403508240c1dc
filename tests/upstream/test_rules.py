"""What an upstream's settings may say."""

import pytest
from pydantic import ValidationError

from proxy.upstream.rules import PoolRule, TlsRule, UpstreamRule


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000",
        "https://chat.example.com",
        "http://chat_backend:8000",
        "http://[::1]:8000",
        "http://a/base",
        "https://a:8443/base/v1.2/%7Eteam",
        "unix:/run/app.sock",
    ],
)
def test_scheme_host_port_and_path_make_an_endpoint(url):
    assert (url,) == UpstreamRule(endpoints=[url]).endpoints


def test_a_slash_at_the_end_says_nothing():
    assert ("http://a:8000",) == UpstreamRule(endpoints=["http://a:8000/"]).endpoints
    assert ("http://a/base",) == UpstreamRule(endpoints=["http://a/base/"]).endpoints


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("127.0.0.1:8000", id="no scheme"),
        pytest.param("ftp://a", id="another scheme"),
        pytest.param("http://a/b c", id="a blank in a path"),
        pytest.param("http://a/b//c", id="an empty segment"),
        pytest.param("http://a/b?q", id="a query behind a path"),
        pytest.param("unix:app.sock", id="a socket without a full path"),
        pytest.param("unix:/", id="a socket without a name"),
        pytest.param("unix:/a b", id="a blank in a socket's path"),
        pytest.param("unix:/" + "a" * 107, id="a socket whose path is too long"),
        pytest.param("http://a//", id="two slashes"),
        pytest.param("http://a?q", id="a query"),
        pytest.param("http://a?", id="a bare question mark"),
        pytest.param("http://a#f", id="a fragment"),
        pytest.param("http://user@a", id="credentials"),
        pytest.param("http://", id="no host"),
        pytest.param("http://a:", id="no port after the colon"),
        pytest.param("http://a:0", id="port 0"),
        pytest.param("http://a:99999", id="a port too high"),
        pytest.param("http://a:x", id="a port that is no number"),
        pytest.param("http://a b", id="a blank"),
        pytest.param("http://[zz]:1", id="an address that is none"),
    ],
)
def test_anything_else_is_refused_with_the_remedy(url):
    with pytest.raises(ValidationError, match='write "http://host:8080"'):
        UpstreamRule(endpoints=[url])


def test_an_upstream_without_an_endpoint_is_refused():
    with pytest.raises(ValidationError):
        UpstreamRule(endpoints=[])


def test_a_host_header_that_could_split_the_head_is_refused():
    assert UpstreamRule(endpoints=["http://a"], host="example.com:80").host == "example.com:80"
    with pytest.raises(ValidationError, match="is not a Host header"):
        UpstreamRule(endpoints=["http://a"], host="a\r\nX: y")


@pytest.mark.parametrize("rule", [PoolRule, TlsRule, UpstreamRule])
def test_every_knob_says_what_it_does(rule):
    assert [name for name, field in rule.model_fields.items() if not field.description] == []
