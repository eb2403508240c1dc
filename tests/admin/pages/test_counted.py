"""Requests counted by a value."""

from proxy.admin.pages.counted import counted
from proxy.admin.pages.markup import join
from proxy.diagnostics.stories.grouping import MOST_GROUPS, grouped


def summary(n: int, **values: object) -> dict[str, object]:
    return {"request_id": f"id-{n}", "code": "completed", "ended": 1e9 + n, **values}


def shown(summaries: list[dict[str, object]], by: str, **given: str) -> str:
    return join(counted(grouped(summaries, by), {**given, "group": by}, by))


def test_a_value_leads_to_those_that_have_it_and_the_other_filters_stay() -> None:
    page = shown([summary(1, path="/a?b=<c>")], "path", code="completed")

    assert 'href="/requests?code=completed&amp;path=%2Fa"' in page
    assert 'href="/requests?field.user=u%26"' in shown([summary(1, fields={"user": "u&"})],
                                                       "field.user")  # fmt: skip


def test_what_cannot_be_asked_for_leads_nowhere() -> None:
    assert "/requests?" not in shown([summary(1, client_ip="::1")], "client_ip")
    assert "/requests?" not in shown([summary(1)], "path"), "none is no path"


def test_each_has_its_count_and_how_many_of_these_broke_and_when() -> None:
    page = shown(
        [summary(0, path="/a"), summary(60, path="/a", level="error"), summary(1, path="/b")],
        "path",
    )

    assert page.index("/a</a>") < page.index("/b</a>")
    assert '<td data-label="Count" class="number"><div>2</div>' in page
    assert '<td data-label="Broken" class="number"><div>1</div>' in page
    assert "<title>1 at 01:46:40Z</title>" in page
    assert "<span>01:46:40Z</span><span>01:47:35Z</span>" in page


def test_more_values_than_are_shown_are_said() -> None:
    some = [summary(n, path=f"/{n}") for n in range(MOST_GROUPS + 7)]

    assert "and 7 more values" in shown(some, "path")


def test_of_nothing_there_is_no_table() -> None:
    assert "<table" not in shown([], "path")
