"""The page of an error: escaped, complete, and nothing of it from elsewhere."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from proxy.http.error_page import PAGE_LINES, error_page
from proxy.outcome import OUTCOMES

HOSTILE = "\"><script>alert(1)</script>&amp;'{message}"


class Read(HTMLParser):
    """The elements with their attributes, and the words."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_message_and_id_are_on_it() -> None:
    page = Read(error_page(502, "The service cannot be reached right now.", "r-1"))

    assert "The service cannot be reached right now." in page.words
    assert "r-1" in page.words
    assert "Bad Gateway" in page.words


def test_whatever_is_said_stays_words() -> None:
    page = Read(error_page(502, HOSTILE, HOSTILE))

    assert 2 == page.words.count(HOSTILE)
    assert "script" not in [tag for tag, _ in page.elements]


def test_nothing_comes_from_elsewhere() -> None:
    page = Read(error_page(503, "x", "r-1"))
    attributes = {name for _, attrs in page.elements for name in attrs}

    assert {"lang", "charset", "name", "content", "class"} == attributes
    assert set() == {"script", "img", "link", "iframe", "form", "a"} & {t for t, _ in page.elements}
    assert b"url(" not in error_page(503, "x", "r-1")


def test_the_policy_allows_its_own_style_and_nothing_else() -> None:
    page = error_page(503, "x", "r-1").decode()
    (style,) = re.findall("<style>(.*?)</style>", page)
    own = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"default-src 'none'; style-src 'sha256-{own}';" in PAGE_LINES.decode()
    assert "style=" not in page


def test_every_error_has_words_on_its_page() -> None:
    for outcome in OUTCOMES.values():
        page = Read(error_page(outcome.status or 502, outcome.message, "r-1"))
        heading = page.words[page.words.index("Reference ID: ") - 2]

        assert heading.strip(), outcome.code


def test_a_status_without_a_name_has_a_title_all_the_same() -> None:
    assert b"<title>Error</title>" in error_page(599, "x", "r-1")
