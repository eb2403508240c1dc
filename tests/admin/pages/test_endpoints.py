"""The table of endpoints."""

from proxy.admin.pages.endpoints import endpoints_section
from proxy.admin.pages.markup import Markup


def view(endpoint: str, status: str, **more: object) -> dict[str, object]:
    return {"endpoint": endpoint, "status": status, **more}


def shown(**upstreams: list[dict[str, object]]) -> str:
    told = endpoints_section({name: {"endpoints": views} for name, views in upstreams.items()})
    return str(told) if isinstance(told, Markup) else ""


def test_those_that_are_out_of_use_come_first_with_the_reason() -> None:
    page = shown(
        chat=[
            view("http://a", "up"),
            view(
                "http://b",
                "down",
                reason="3 checks in a row: <x>",
                since="2026-01-01T00:00:00.000Z",
            ),
        ],
        rest=[view("http://c", "ejected", address="10.0.0.1", retry_in_seconds=12.0)],
    )

    assert page.index("http://b") < page.index("http://c") < page.index("http://a")
    assert "3 checks in a row: &lt;x&gt;" in page
    assert "10.0.0.1" in page
    assert "in 12 s" in page


def test_endpoints_that_are_alone_and_not_checked_are_not_worth_a_table() -> None:
    assert "" == shown(chat=[view("http://a", "usable")], rest=[view("http://b", "usable")])
    assert "" != shown(chat=[view("http://a", "up")])


def test_of_very_many_a_hundred_are_shown() -> None:
    page = shown(chat=[view(f"http://a{n}", "up") for n in range(130)])

    assert "and 30 more" in page
    assert 100 == page.count("<code>")
