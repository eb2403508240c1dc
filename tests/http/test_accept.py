"""What a client would rather read, by the weights it gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http.accept import named_quality, prefers_html, quality

CHROME = (
    b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    b"*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)
FIREFOX = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "kind", "wanted"),
    [
        pytest.param(b"application/json", b"application/json", 1.0, id="named"),
        pytest.param(b"application/*;q=0.5", b"application/json", 0.5, id="its main type"),
        pytest.param(b"*/*;q=0.1", b"application/json", 0.1, id="anything"),
        pytest.param(b"*/*, application/json;q=0", b"application/json", 0.0, id="refused by name"),
        pytest.param(b"text/html", b"application/json", 0.0, id="not at all"),
        pytest.param(b"TEXT/HTML;Q=0.3", b"text/html", 0.3, id="in capitals"),
        pytest.param(b"text/html;level=1 ; q=0.3", b"text/html", 0.3, id="behind a parameter"),
        pytest.param(b"text/html;q=1.9", b"text/html", 1.0, id="more than there is"),
        pytest.param(b"text/html;q=much", b"text/html", 1.0, id="a weight that is none"),
        pytest.param(b"", b"text/html", 0.0, id="nothing"),
        pytest.param(b",;q=1,,", b"text/html", 0.0, id="rubbish"),
    ],
)
def test_the_most_specific_range_says_how_much_a_type_is_wanted(
    accept: bytes, kind: bytes, wanted: float
) -> None:
    assert wanted == quality(accept, kind)


def test_a_type_is_named_by_itself_only() -> None:
    assert 0.4 == named_quality(b"*/*, text/event-stream;q=0.4", b"text/event-stream")
    assert 0.0 == named_quality(b"*/*, text/*", b"text/event-stream")


@given(st.binary(max_size=100), st.sampled_from([b"text/html", b"application/json"]))
def test_whatever_is_said_is_a_weight(accept: bytes, kind: bytes) -> None:
    assert 0.0 <= named_quality(accept, kind) <= quality(accept, kind) <= 1.0


@pytest.mark.parametrize(
    ("accept", "is_wanted"),
    [
        pytest.param(CHROME, True, id="a browser opens a page"),
        pytest.param(FIREFOX, True, id="another browser"),
        pytest.param(b"text/html", True, id="nothing else"),
        pytest.param(None, False, id="nothing said"),
        pytest.param(b"*/*", False, id="curl, fetch"),
        pytest.param(b"text/*", False, id="text, unnamed"),
        pytest.param(b"application/json", False, id="JSON"),
        pytest.param(b"application/json, text/plain, */*", False, id="axios"),
        pytest.param(b"application/json, text/html", False, id="both alike"),
        pytest.param(b"text/html;q=0.5, application/json", False, id="JSON rather"),
        pytest.param(b"application/json;q=0.5, text/html;q=0.6", True, id="HTML rather"),
        pytest.param(b"text/html;q=0, */*", False, id="refused"),
        pytest.param(b"application/xhtml+xml", False, id="another language of pages"),
    ],
)
def test_a_page_is_for_who_wants_it_more_than_json(accept: bytes | None, is_wanted: bool) -> None:
    assert is_wanted == prefers_html(accept)
