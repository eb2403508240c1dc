"""The diagnosis in its parts, and what happened around an exchange, on its page."""

from collections.abc import Iterator

from proxy.admin.around_text import culprit_lines, diagnosis_parts, neighbour_lines
from proxy.admin.json_view import JsonObject, part, text
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import linked, reference, section
from proxy.diagnostics.stories.usually import usual_lines


def diagnosis(story: JsonObject) -> Markup:
    """Proven, likely, next check: a line each."""
    return el(
        "div",
        [
            el("p", el("b", name, ": "), linked(said, set(_ids(story))))
            for name, said in diagnosis_parts(story)
        ],
        class_="diagnosis",
    )


def neighbours(story: JsonObject, *, is_shared: bool) -> Markup | None:
    """How others did, with links to some of both sides; of a shared store those elsewhere, too."""
    lines: list[Content] = [
        el("li", line, _samples("Bad", bad), _samples("Good", good))
        for line, bad, good in neighbour_lines(story)
    ]
    nearest = text(part(story, "neighbours"), "nearest_good")
    if nearest:
        lines.append(el("li", "Nearest good one: ", reference(nearest)))
    lines += [_everywhere(story)] if lines and is_shared else []
    return section("Neighbours", el("ul", lines)) if lines else None


def _everywhere(story: JsonObject) -> Markup:
    """The same over all instances, or a link that asks for it."""
    told = [
        el("li", line, _samples("Bad", bad), _samples("Good", good))
        for line, bad, good in neighbour_lines(story, "all_instances")
    ]
    likely = text(part(story, "all_instances"), "likely")
    if told:
        return el("li", "On all instances:", el("ul", told, el("li", likely) if likely else None))
    return el("li", el("a", "Compare with all instances", href="?instances=all"))


def culprits(story: JsonObject) -> Markup | None:
    """Who brought it about."""
    ids = set(_ids(story))
    lines = [el("li", linked(line, ids)) for line in culprit_lines(story)]
    return section("Culprits", el("ul", lines)) if lines else None


def usual(story: JsonObject) -> Markup | None:
    """What was measured beside what is usual on the route."""
    lines = [el("li", line) for line, _ in usual_lines(part(story, "usual"))]
    return section("Usual on the route", el("ul", lines)) if lines else None


def _ids(story: JsonObject) -> Iterator[str]:
    """The other exchanges that it names."""
    found: list[object] = [story.get("culprits"), story.get("neighbours")]
    while found:
        match found.pop():
            case {"request_id": str(named), **rest}:
                yield named
                found += rest.values()
            case dict(inner):
                found += inner.values()
            case list(inner):
                found += inner


def _samples(side: str, ids: list[str]) -> Markup | None:
    if not ids:
        return None
    return el("div", f"{side}: ", [[reference(each), " "] for each in ids], class_="quiet")
