"""The diagnosis in its parts, and what happened around an exchange, as lines of text."""

import textwrap
from collections.abc import Iterator
from typing import Final

from proxy.admin.json_view import JsonObject, part, rows, text, texts
from proxy.diagnostics.stories.parting import shown
from proxy.diagnostics.stories.usually import usual_lines

_WIDTH: Final = 96
_PARTS: Final = (("Proven", "proven"), ("Likely", "likely"), ("Next check", "next_check"))


def diagnosis_parts(story: JsonObject) -> list[tuple[str, str]]:
    """Each with its name; a story of an older Sidelight has only one."""
    parts = [(name, text(story, key)) for name, key in _PARTS if text(story, key)]
    return parts or [("Proven", text(story, "diagnosis", "No diagnosis."))]


def neighbour_lines(
    story: JsonObject, key: str = "neighbours"
) -> Iterator[tuple[str, list[str], list[str]]]:
    """How others did that ended in the minute up to its end; beside what was found the IDs of bad
    ones that have it, and of good ones that have not."""
    neighbours = part(story, key)
    found = {text(each, "words"): each for each in rows(neighbours, "findings")}
    for line in texts(neighbours, "words"):
        each = found.get(line, {})
        yield line, texts(each, "bad"), texts(each, "good")


def _with_samples(story: JsonObject, key: str) -> list[str]:
    lines = []
    for line, *sides in neighbour_lines(story, key):
        lines.append(line)
        named = zip(("bad", "good"), sides, strict=True)
        lines += [f"  {side}: {', '.join(ids)}" for side, ids in named if ids]
    return lines


def culprit_lines(story: JsonObject) -> list[str]:
    """Who brought it about."""
    culprits = part(story, "culprits")
    return [line for name in culprits for line in texts(part(culprits, name), "words")]


def parting_text(parting: JsonObject) -> str:
    """Where two stories part, and all their facts beside each other."""
    lines = [text(parting, "words"), "", f"{'':2}{'':<12} {'bad':<36} good"]
    lines.append(f"{'':2}{'':<12} {text(parting, 'bad'):<36} {text(parting, 'good')}")
    step = ""
    for fact in rows(parting, "facts"):
        if text(fact, "step") != step:
            step = text(fact, "step")
            here = "  ← they part here" if step == text(parting, "parts_at") else ""
            lines.append(f"{step}{here}")
        name = text(fact, "fact")
        bad, good = (shown(name, fact.get(side)) for side in ("bad", "good"))
        mark = "≠" if fact.get("differs") is True else " "
        lines.append(f"{mark} {name.removesuffix('_ms'):<12} {bad:<36} {good}")
    return "\n".join(lines)


def around_lines(story: JsonObject) -> Iterator[str]:
    """All of it, a section each."""
    neighbours = _with_samples(story, "neighbours")
    everywhere = _with_samples(story, "all_instances")
    if likely := text(part(story, "all_instances"), "likely"):
        everywhere.append(f"likely: {likely}")
    if nearest := text(part(story, "neighbours"), "nearest_good"):
        against = f"sidelight explain {text(story, 'request_id')} --against {nearest}"
        neighbours.append(f"nearest good one: {against}")
    for title, lines in (
        ("Neighbours", neighbours),
        ("Everywhere", everywhere),
        ("Culprits", culprit_lines(story)),
        ("Usual", [line for line, _ in usual_lines(part(story, "usual"))]),
    ):
        for n, line in enumerate(lines):
            indent = " " * (12 + len(line) - len(line.lstrip()))
            first = f"{title}:".ljust(12) if n == 0 else indent
            yield from textwrap.wrap(
                line.lstrip(), _WIDTH, initial_indent=first, subsequent_indent=f"{indent}  ",
                break_on_hyphens=False, break_long_words=False,
            )  # fmt: skip
