"""Neighbours of all instances are a link until somebody asks for them, where a store is shared."""

from proxy.admin.pages.around import neighbours

ALONE = {"neighbours": {"words": ["3 of 9 on the route chat answered 500"]}}
ASK = "?instances=all"
TOLD = {
    "words": ["on 2 instances: 3 of 20 <answered> 500"],
    "likely": "it is this instance, pod-1",
}


def html(story, *, is_shared: bool) -> str:
    return str(neighbours(story, is_shared=is_shared))


def test_a_link_asks_for_them() -> None:
    assert f'href="{ASK}"' in html(ALONE, is_shared=True)


def test_where_nobody_shares_the_store_there_is_no_link() -> None:
    assert ASK not in html(ALONE, is_shared=False)


def test_a_story_without_neighbours_has_no_link() -> None:
    assert neighbours({}, is_shared=True) is None


def test_what_was_found_stands_in_the_place_of_the_link() -> None:
    shown = html({**ALONE, "all_instances": TOLD}, is_shared=True)

    assert "on 2 instances: 3 of 20 &lt;answered&gt; 500" in shown
    assert "it is this instance, pod-1" in shown
    assert ASK not in shown
