"""What is known of an answer's size before a byte of it goes out."""

import pytest

from proxy.http.framing import BodyKind, ResponseHead
from proxy.limits.response_size import is_too_large


def head(framing: BodyKind, length: int | None = None) -> ResponseHead:
    return ResponseHead(200, b"OK", [], "1.1", framing, length)


@pytest.mark.parametrize(
    ("of", "limit", "read", "is_over"),
    [
        pytest.param(head("length", 10), 10, 0, False, id="as large as may be"),
        pytest.param(head("length", 11), 10, 0, True, id="one byte more"),
        pytest.param(head("length", 11), None, 0, False, id="no limit"),
        pytest.param(head("none", 11), 10, 0, False, id="HEAD and 304 have no body"),
        pytest.param(head("chunked"), 10, 0, False, id="not known yet"),
        pytest.param(head("chunked"), 10, 11, True, id="read already"),
        pytest.param(head("close"), 10, 10, False, id="read already, and fits"),
    ],
)
def test_what_is_larger_is_known_by_its_length_or_by_what_is_here(
    of: ResponseHead, limit: int | None, read: int, is_over: bool
) -> None:
    assert is_over == is_too_large(of, limit, read)
