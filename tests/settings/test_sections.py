"""The sections' own rules."""

import pytest
from pydantic import ValidationError

from proxy.settings.sections import Admin, DrainRule, Listen, LogRule, ObservedField


def test_the_defaults_are_those_of_the_contract():
    assert Listen().model_dump() == {
        "host": "0.0.0.0",
        "port": 8080,
        "tls": None,
        "backlog": 1024,
        "max_connections": 10000,
        "concurrency": None,
        "request_head": 10,
        "keep_alive": 75,
        "header_bytes": 32768,
        "header_count": 128,
        "head_bytes": 49152,
        "uri_bytes": 16384,
        "unread_bytes": 33554432,
    }
    assert Admin().model_dump() == {
        "host": "127.0.0.1",
        "port": 8081,
        "token": None,
        "max_connections": 64,
        "tls": None,
    }
    assert DrainRule().model_dump() == {"readiness_delay": 5, "limit": 120}
    assert LogRule().model_dump() == {"level": "info", "queue": 10000, "sample": 1}


@pytest.mark.parametrize("key", ["header", "path", "query"])
def test_a_field_has_one_source(key):
    value = {"header": "X-A", "path": "/{a}", "query": "a"}[key]

    assert getattr(ObservedField(**{key: value}), key) == value


@pytest.mark.parametrize("sources", [{}, {"header": "a", "query": "b"}, {"hash": True}])
def test_a_field_with_no_or_two_sources_is_refused(sources):
    with pytest.raises(ValidationError, match="exactly one of header, path and query"):
        ObservedField(**sources)
