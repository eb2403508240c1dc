"""The page of an ID under which no story is found: why, and a way to those that are named."""

from proxy.admin.api.stories import no_story
from proxy.admin.pages.markup import Content, el
from proxy.admin.pages.parts import link, linked
from proxy.admin.sources import FoundView


def missing_page(found: FoundView) -> list[Content]:
    """What was asked is not repeated."""
    refusal = no_story(found.why)
    return [
        el("h1", "Not found"),
        el("p", linked(refusal.message, found.named)),
        el("p", link("The latest requests", "requests"), class_="quiet"),
    ]
