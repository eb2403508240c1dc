"""Paths as they are compared, and patterns of paths."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.matching.paths import compiled, decoded, normalise, path_of

few = settings(max_examples=50, deadline=None, database=None)


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        pytest.param("/a/b", "/a/b", id="nothing to do"),
        pytest.param("", "/", id="an empty path"),
        pytest.param("*", "/", id="the server itself"),
        pytest.param("/a//b", "/a/b", id="a doubled slash"),
        pytest.param("//a", "/a", id="a doubled slash at the beginning"),
        pytest.param("/a//", "/a/", id="a doubled slash at the end"),
        pytest.param("/a/./b", "/a/b", id="a dot"),
        pytest.param("/a/.", "/a/", id="a dot at the end"),
        pytest.param("/a/../b", "/b", id="two dots"),
        pytest.param("/a/b/..", "/a/", id="two dots at the end"),
        pytest.param("/../../a", "/a", id="dots above the root"),
        pytest.param("/a/..", "/", id="back at the root"),
        pytest.param("/a/...", "/a/...", id="three dots are a name"),
        pytest.param("/.well-known/x", "/.well-known/x", id="a name that begins with a dot"),
        pytest.param("/a/%2e%2E/b", "/b", id="encoded dots"),
        pytest.param("/a%2Fb", "/a%2Fb", id="an encoded slash is no separator"),
        pytest.param("/a%2fb", "/a%2Fb", id="in whatever case"),
        pytest.param("/a%2F..%2Fb", "/a%2F..%2Fb", id="dots between encoded slashes are a name"),
        pytest.param("/%2561", "/%61", id="decoded once"),
        pytest.param("/caf%C3%A9", "/café", id="UTF-8"),
        pytest.param("/caf%E9", "/caf\ufffd", id="what is no UTF-8"),
        pytest.param("/100%", "/100%", id="a percent sign alone"),
        pytest.param("/a%3Fb", "/a?b", id="an encoded question mark is part of the path"),
        pytest.param("/a+b", "/a+b", id="a plus is no space"),
    ],
)
def test_normalise(path: str, normal: str) -> None:
    assert normal == normalise(path)


segments = st.lists(st.sampled_from(["", ".", "..", "a", "%2e", "%2F", "%2e%2E", ".a"]), max_size=8)


@few
@given(segments)
def test_a_normal_path_has_a_root_and_no_way_above_it(parts: list[str]) -> None:
    normal = normalise("/" + "/".join(parts))

    assert normal.startswith("/")
    assert not re.search(r"//|/\.\.?(/|$)", normal)
    assert normal == normalise(normal)


@few
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=4))
def test_an_encoded_path_is_decoded(parts: list[str]) -> None:
    parts = ["x" + part.replace("/", "") for part in parts]
    path = "/" + "/".join(parts)

    assert path == normalise(quote(path))


@pytest.mark.parametrize(
    ("target", "path"),
    [("/a?b", "/a"), ("/a", "/a"), ("/a?b?c", "/a"), ("/?", "/"), ("*", "*")],
)
def test_the_path_of_a_target(target: str, path: str) -> None:
    assert path == path_of(target)


@pytest.mark.parametrize(
    ("path", "target", "captured"),
    [
        pytest.param("/a/{x}", "/a/b", {"x": "b"}, id="a segment"),
        pytest.param("/{x}/{y}", "/a/b", {"x": "a", "y": "b"}, id="two segments"),
        pytest.param("/a/{x...}", "/a/b/c/", {"x": "b/c/"}, id="the rest"),
        pytest.param("/a/{x}/", "/a/b/c", {"x": "b"}, id="a segment of a prefix"),
    ],
)
def test_what_a_pattern_captures(path: str, target: str, captured: dict[str, str]) -> None:
    match = compiled(path).fullmatch(target)

    assert match is not None
    assert captured == match.groupdict()


@pytest.mark.parametrize(
    ("path", "as_read"),
    [("/a%2fb", "/a/b"), ("/a\\b", "/a/b"), ("/a%5Cb", "/a/b"), ("/x%2f..%2fa", "/a")],
)
def test_as_an_upstream_may_read_it(path: str, as_read: str) -> None:
    assert as_read == decoded(path)
