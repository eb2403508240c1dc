"""Pieces of pages."""

import pytest

from proxy.admin.pages.parts import requests_link, route_link, table, upstream_id, upstream_link


@pytest.mark.parametrize(
    ("cells", "is_number"),
    [
        ((1, 2.5), True),
        (("12 ms", "—"), True),
        (("3 of 83", "0 of 0"), True),
        (("", "10 %"), True),
        (("1.0 s", "chat"), False),
        (("", None), False),
        (("v1",), False),
    ],
)
def test_a_column_of_numbers_stands_on_the_right_with_its_head(cells, is_number) -> None:
    made = table(("Name", "Value"), [("a", cell) for cell in cells], "x")

    heads, rows = made.split("</thead>")
    assert ('class="number"' in heads) is is_number
    assert rows.count('class="number"') == (len(cells) if is_number else 0)


def test_a_table_without_rows_has_its_heads() -> None:
    assert 2 == table(("Name", "Value"), [], "x").count("<th ")


def test_links_quote_what_they_lead_to() -> None:
    assert 'href="/routes#route-a%2Fb%20c"' in route_link("x", "a/b c")
    assert f'href="/#{upstream_id("a")}"' in upstream_link("x", "a")
    assert 'href="/requests?path=%2Fa%3Fb&amp;code=x"' in requests_link("x", path="/a?b", code="x",
                                                                     route="")  # fmt: skip
