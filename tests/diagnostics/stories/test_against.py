"""The good one is the one that is named, else the nearest that is kept."""

from proxy.diagnostics.stories.against import NONE_GOOD, parted
from proxy.diagnostics.stories.found import FoundStories
from proxy.diagnostics.stories.story import Story, story_of, summary_of


class Kept:
    """Stories by ID; a search gives those that were completed."""

    def __init__(self, *stories: Story) -> None:
        self._stories = stories
        self.asked: list[object] = []

    async def story(self, request_id: str) -> FoundStories:
        found = [each for each in self._stories if each["request_id"] == request_id]
        return FoundStories(found, "off")

    async def stories(self, query) -> FoundStories:
        self.asked.append((query.route, query.code))
        good = [summary_of(each) for each in self._stories if each["code"] == query.code]
        return FoundStories(good[: query.limit], "off")


def story(exchange_of, request_id, code="completed", **more) -> Story:
    return {**story_of(exchange_of(code, request_id=request_id)), **more}


async def test_the_one_that_its_neighbours_name(exchange_of) -> None:
    bad = story(exchange_of, "bad", "head_timeout", neighbours={"nearest_good": "near"})
    kept = Kept(bad, story(exchange_of, "far"), story(exchange_of, "near"))
    found = await parted(kept, "bad", None)

    assert isinstance(found, dict)
    assert (found["good"], found["proposed"], kept.asked) == ("near", True, [])


async def test_the_latest_of_the_route_where_that_is_not_kept(exchange_of) -> None:
    bad = story(exchange_of, "bad", "head_timeout", neighbours={"nearest_good": "gone"})
    kept = Kept(bad, story(exchange_of, "far"))
    found = await parted(kept, "bad", None)

    assert isinstance(found, dict)
    assert (found["good"], kept.asked) == ("far", [("chat", "completed")])


async def test_what_is_missing_is_named(exchange_of) -> None:
    kept = Kept(story(exchange_of, "bad", "head_timeout"))

    assert await parted(kept, "nobody", None) == "nobody"
    assert await parted(kept, "bad", "nobody") == "nobody"
    assert await parted(kept, "bad", None) == NONE_GOOD
