"""What a PromQL expression names, and whether the code has it. No parser: names and braces."""

import re
from collections.abc import Collection, Iterator
from typing import Final, get_args

from proxy.observation.exposition import render
from proxy.observation.families import FAMILIES
from proxy.observation.readings import STATES
from proxy.observation.series import Series
from proxy.outcome import OUTCOMES, NotRetried, Result

_NAME = re.compile(r"(?<![\w$\"])(?:route:)?(?:sidelight|process|python_gc)_\w+(?::\w+)?|\bup\b")
_SELECTOR = re.compile(rf"({_NAME.pattern})\s*{{([^}}]*)}}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SUFFIX = re.compile(r"_(?:bucket|sum|count)$")

OF_SCRAPE: Final = frozenset({"instance", "job"})
"""Labels that Prometheus adds."""

VALUES: Final = {
    "code": frozenset(OUTCOMES),
    "state": frozenset({*STATES, "idle", "active", "waiting"}),
    "why": frozenset(get_args(NotRetried)),
    "result": frozenset(get_args(Result)),
    "severity": frozenset({"error", "critical"}),
}
"""Labels whose values are closed lists."""


def _foreign() -> dict[str, frozenset[str]]:
    text = render(Series().snapshot(), "")[0].decode()
    found = re.findall(r"^((?:process|python_gc)_\w+)(?:{(\w+)=)?", text, re.MULTILINE)
    return {name: frozenset({label} if label else ()) for name, label in found}


KNOWN: Final = {
    **{name: frozenset(family.labels) for name, family in FAMILIES.items()},
    **_foreign(),
    "up": frozenset(),
}
"""The labels of every metric there is."""


def faults(expression: str, recorded: Collection[str] = ()) -> Iterator[str]:
    """What it names and nobody has; `recorded` are names of recording rules, by route."""
    names = _NAME.findall(expression)
    labels = OF_SCRAPE | {"le"}
    for name in names:
        known = labels_of(name, recorded)
        if known is None:
            yield f"no metric is named {name}"
        labels |= known or frozenset()
    for name, matchers in _SELECTOR.findall(expression):
        yield from _selector_faults(name, matchers, recorded)
    for group in _GROUPING.findall(expression):
        for label in re.findall(r"\w+", group):
            if label not in labels:
                yield f"nothing there has the label {label}: {expression}"


def labels_of(name: str, recorded: Collection[str] = ()) -> frozenset[str] | None:
    """None where there is no such metric."""
    if name in recorded:
        return frozenset({"route"})
    family = FAMILIES.get(_SUFFIX.sub("", name))
    if family is not None and family.kind == "histogram":
        return frozenset(family.labels) if _SUFFIX.search(name) else None
    return KNOWN.get(name)


def _selector_faults(name: str, matchers: str, recorded: Collection[str]) -> Iterator[str]:
    known = (labels_of(name, recorded) or frozenset()) | OF_SCRAPE
    for label, _, value in _MATCHER.findall(matchers):
        if label not in known:
            yield f"{name} has no label {label}"
        for one in () if value.startswith("$") else value.split("|"):
            if one not in VALUES.get(label, {one}):
                yield f"{label} is never {one}"
