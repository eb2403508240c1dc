"""Links from stories and alerts to the traces that they belong to, made when they are read."""

from collections.abc import Callable, Collection, Mapping, Sequence

from proxy.diagnostics.stories.story import Story

_PLACE = "{trace_id}"


class TraceLinks:
    """`link` has a place for the ID of the trace; `traces_of` finds the traces of Reference IDs."""

    def __init__(
        self, link: str | None, traces_of: Callable[[Collection[str]], Mapping[str, str]]
    ) -> None:
        self._link, self._traces_of = link, traces_of

    def add_to_stories(self, stories: Sequence[Story]) -> None:
        """`trace_url`, for those that belong to a trace."""
        for story in stories if self._link else ():
            if trace_id := story.get("trace_id"):
                story["trace_url"] = self._to(str(trace_id))

    def with_traces(self, alerts: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
        """The alerts, with `traces` by Reference ID where those of its samples are known."""
        samples = [_samples(alert) for alert in alerts] if self._link else []
        known = self._traces_of({one for some in samples for one in some}) if any(samples) else {}
        shown = [dict(alert) for alert in alerts]
        for alert, some in zip(shown, samples, strict=False):
            if traces := {one: self._to(known[one]) for one in some if one in known}:
                alert["traces"] = traces
        return shown

    def _to(self, trace_id: str) -> str:
        return (self._link or "").replace(_PLACE, trace_id)


def _samples(alert: Mapping[str, object]) -> list[str]:
    samples = alert.get("samples")
    return [str(one) for one in samples] if isinstance(samples, list) else []
