"""What may be said of a fallback."""

import pytest
from pydantic import ValidationError

from proxy.fallback.rules import LARGEST, FallbackRule


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"type": "text/plain"}, "write both, or neither", id="a type alone"),
        pytest.param({"body": "x"}, "write both, or neither", id="a body alone"),
        pytest.param({"type": "text/plain", "body": "x", "file": "y"}, "has both", id="two bodies"),
        pytest.param({"type": "plain", "body": "x"}, "is not a content type", id="no type"),
        pytest.param({"type": "a/b\r\nX: y", "body": "x"}, "is not a content type", id="lines"),
        pytest.param({"type": "a/b", "body": "x", "status": 204}, "has no content", id="a 204"),
        pytest.param({"type": "a/b", "body": "x", "status": 99}, "200", id="no status"),
        pytest.param({"type": "a/b", "body": "x", "status": 101}, "200", id="an interim one"),
        pytest.param({"upstream": "static"}, "fixed answer is called", id="its name"),
        pytest.param({"type": "a/b", "body": "x" * (LARGEST + 1)}, "larger than 64KiB", id="large"),
    ],
)
def test_what_cannot_be_given_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FallbackRule.model_validate(given)


def test_another_upstream_needs_no_fixed_answer_and_may_have_one() -> None:
    assert FallbackRule(upstream="spare").type is None
    assert 200 == FallbackRule(upstream="spare", type="text/plain; charset=utf-8", body="x").status
