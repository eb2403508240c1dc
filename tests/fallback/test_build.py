"""A fallback as it runs: from its rule, and from a file that is read once."""

from pathlib import Path

import pytest

from proxy.fallback.build import fallback, file_bytes
from proxy.fallback.rules import LARGEST, FallbackRule
from proxy.streams.rules import EndMarkerRule


def test_without_a_rule_there_is_none() -> None:
    assert fallback(FallbackRule(), EndMarkerRule()) is None


def test_another_upstream_and_a_fixed_answer_may_stand_together() -> None:
    made = fallback(FallbackRule(upstream="spare", type="text/plain", body="x"), EndMarkerRule())

    assert made is not None
    assert "spare" == made.upstream
    assert made.static is not None
    assert b"x" == made.static.body


def test_another_upstream_needs_no_fixed_answer() -> None:
    made = fallback(FallbackRule(upstream="spare"), EndMarkerRule())

    assert made is not None
    assert made.static is None


def test_a_file_is_read_at_once(tmp_path: Path) -> None:
    file = tmp_path / "sorry.html"
    file.write_text("<p>sorry")
    made = fallback(FallbackRule(type="text/html", file=str(file), status=503), EndMarkerRule())
    file.unlink()

    assert made is not None
    assert made.static is not None
    assert (503, b"<p>sorry") == (made.static.status, made.static.body)


def test_a_file_is_not_read_beyond_what_a_body_may_have(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(LARGEST * 3))

    assert LARGEST + 1 == len(file_bytes(str(tmp_path / "large")))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fallback(FallbackRule(type="a/b", file=str(tmp_path / "none")), EndMarkerRule())
