"""HTML that cannot be forgotten to be escaped."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.pages.markup import Markup, el, html_document, join


@pytest.mark.parametrize(
    ("made", "html"),
    [
        (el("p"), "<p></p>"),
        (el("p", "a & <b>"), "<p>a &amp; &lt;b&gt;</p>"),
        (el("p", el("b", "x")), "<p><b>x</b></p>"),
        (el("p", None, "a", ["b", [1, 2.5]], (s for s in "c")), "<p>ab12.5c</p>"),
        (el("br"), "<br>"),
        (el("i", class_="x", data_id='"'), '<i class="x" data-id="&quot;"></i>'),
        (el("i", hidden=True, title=None, open=False), "<i hidden></i>"),
    ],
)
def test_elements(made: Markup, html: str) -> None:
    assert html == made


def test_a_page_begins_with_its_doctype() -> None:
    assert "<!doctype html>\n<html></html>\n" == html_document(el("html"))


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(), st.text())
def test_whatever_the_text_it_stays_text(content: str, attribute: str) -> None:
    reader = Reader()
    reader.feed(el("p", content, title=attribute))
    reader.close()

    assert ["p"] == [tag for tag, _ in reader.tags]
    assert attribute == reader.tags[0][1]["title"]
    assert content == reader.text


def test_a_text_that_was_joined_is_not_escaped_twice() -> None:
    assert "&lt;" == join(join("<"))
