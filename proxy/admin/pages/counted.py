"""Requests counted by a value that they have: how many, when, and how they ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from proxy.admin.json_view import JsonObject, as_count, as_number, numbers, part, rows, text, texts
from proxy.admin.pages.charts import Column, chart
from proxy.admin.pages.markup import Content, el
from proxy.admin.pages.parts import nothing, reference, requests_link, table, when
from proxy.admin.parameters import READERS
from proxy.diagnostics.stories.grouping import FIELD

_NONE = "none"


def counted(told: JsonObject, given: Mapping[str, str], by: str) -> list[Content]:
    """The table, and what it was made of; `given` is what was asked."""
    if not as_count(told, "counted"):
        return [nothing("None are kept that fit.")]
    most = " at least" if told.get("at_least") is True else ""
    said: list[Content] = [f"{as_count(told, 'counted')}{most}, from ", when(text(told, "since")),
                           " to ", when(text(told, "until"))]  # fmt: skip
    shown = [_group(group, _times(told), given, by) for group in rows(told, "groups")]
    left = as_count(told, "left_off")
    more = el("p", f"and {left} more values", class_="quiet") if left else None
    heads = (by, "Count", "Broken", "Over time", "How", "Samples")
    return [el("p", said, class_="quiet"), table(heads, shown, f"Requests by {by}"), more]


def _times(told: JsonObject) -> list[str]:
    """When each slot began, as a time of day."""
    try:
        since = datetime.fromisoformat(text(told, "since"))
    except ValueError:
        return []
    step = timedelta(seconds=as_number(told, "slot_seconds") or 0.0)
    most = max((len(numbers(group, "counts")) for group in rows(told, "groups")), default=0)
    return [f"{since + n * step:%H:%M:%S}Z" for n in range(most)]


def _group(
    group: JsonObject, times: Sequence[str], given: Mapping[str, str], by: str
) -> tuple[Content, ...]:
    value, broken = text(group, "value"), numbers(group, "broken")
    columns = [Column(*each) for each in zip(times, numbers(group, "counts"), broken, strict=False)]
    below = [times[0], times[-1]] if times else []
    codes = [el("div", f"{name} {n}", class_="whole") for name, n in part(group, "codes").items()]
    return (
        el("span", _value(value, given, by), class_="which"),
        as_count(group, "count"),
        f"{sum(broken):.0f}",
        chart(columns, f"{by} {value}", below),
        codes,
        [el("div", reference(each)) for each in texts(group, "samples")],
    )


def _value(value: str, given: Mapping[str, str], by: str) -> Content:
    """Leads to those that have it, where they can be asked for so."""
    if value == _NONE or not (by in READERS or by.startswith(FIELD)):
        return value
    rest: dict[str, str] = {name: each for name, each in given.items() if name != "group"}
    return requests_link(value, **{**rest, by: value})
