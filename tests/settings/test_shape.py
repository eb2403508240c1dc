"""What each key wants."""

import pytest

from proxy.settings.schema import shape


def at(*path):
    here = shape()
    for part in path:
        here = here.child(part)
    return here


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (("listen",), "a section of keys"),
        (("listen", "port"), "a whole number"),
        (("listen", "keep_alive"), "text"),
        (("log", "sample"), "a number"),
        (("policies", "any", "breaker", "enabled"), "true or false"),
        (("routes",), "a list"),
        (("routes", 0, "match", "methods", 0), "text"),
        (("admin", "token"), "text"),
        (("trusted_proxies", 0), "text"),
    ],
)
def test_a_key_says_in_words_what_it_wants(path, wanted):
    assert at(*path).wanted == wanted


def test_there_is_nothing_below_a_value_or_an_unknown_key():
    assert at("listen", "port").child("x") is None
    assert at("listen").child("prot") is None
    assert at("listen").child(0) is None


def test_a_section_knows_what_it_must_have():
    assert at("routes", 0).required == {"name", "match", "upstream"}
    assert at("listen").required == set()


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("listen", "keep_alive"), 75.0, "75s"),
        (("listen", "keep_alive"), 60, "1m"),
        (("policies", "x", "max_body"), 1 << 20, "1MiB"),
        (("log", "sample"), 1.0, "1"),
        (("listen", "port"), 8080, "8080"),
    ],
)
def test_a_number_is_written_with_the_unit_of_its_key(path, value, text):
    assert at(*path).as_text(value) == text
