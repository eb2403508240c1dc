"""A query for stories: by an ID, or by what they have in common."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from proxy.diagnostics.stories.story import own_fields
from proxy.exchange import Exchange
from proxy.observation.redaction import redact

SAME_ID: Final = 250
"""Stories that one ID may bring: a client may send the same one for ever."""


@dataclass(frozen=True, slots=True)
class Query:
    """All conditions together; None asks for nothing. Times are wall seconds of the end."""

    code: str | None = None
    route: str | None = None
    status: int | None = None
    since: float | None = None
    until: float | None = None
    method: str | None = None
    path: str | None = None
    """Without its query; with a star at its end all that begin so."""
    endpoint: str | None = None
    """Of any attempt."""
    agent: str | None = None
    """A part of the user agent, whatever its capitals; so is `detail`."""
    detail: str | None = None
    instance: str | None = None
    """The whole name of that which told it."""
    group: str | None = None
    """What is to be counted by its values, instead of being listed."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Values of the team's own fields, as they were recorded: redacted, perhaps hashed."""
    limit: int = 100

    def takes(self, x: Exchange, instance: str = "") -> bool:
        """Whether this exchange of `instance`, which has ended, is asked for."""
        code = x.outcome.code if x.outcome else None
        asked = (
            (self.code, code), (self.route, x.route), (self.status, x.status),
            (self.method, x.method), (self.instance, instance),
        )  # fmt: skip
        if any(wanted is not None and wanted != had for wanted, had in asked):
            return False
        if not self.spans(x.started_wall + x.duration):
            return False
        if self.looks_inside and not self._fits(
            x.target, [attempt.endpoint for attempt in x.attempts], x.user_agent, x.detail or ""
        ):
            return False
        return not self.fields or self.fields.items() <= own_fields(x).items()

    @property
    def looks_inside(self) -> bool:
        """Whether a story must be read to know whether it is asked for."""
        texts = (self.method, self.path, self.endpoint, self.agent, self.detail, self.instance)
        return any(text is not None for text in texts)

    def takes_story(self, story: Mapping[str, object]) -> bool:
        """The same of a story, as far as `looks_inside`."""
        if self.method is not None and story.get("method") != self.method:
            return False
        if self.instance is not None and story.get("instance") != self.instance:
            return False
        attempts = story.get("attempts")
        tried = attempts if isinstance(attempts, list) else []
        endpoints = [str(each.get("endpoint", "")) for each in tried]
        texts = (str(story.get(name) or "") for name in ("path", "user_agent", "detail"))
        target, agent, detail = texts
        return self._fits(target, endpoints, agent, detail)

    def _fits(self, target: str, endpoints: Sequence[str], agent: str, detail: str) -> bool:
        if self.path is not None and not _is_path(self.path, target):
            return False
        if self.endpoint is not None and self.endpoint not in endpoints:
            return False
        parts = ((self.agent, agent), (self.detail, detail))
        return all(part is None or part.lower() in whole.lower() for part, whole in parts)

    def spans(self, ended: float) -> bool:
        """Whether an end at this wall time lies within."""
        return (self.since or -inf) <= ended <= (inf if self.until is None else self.until)


def _is_path(wanted: str, target: str) -> bool:
    if wanted.endswith("*"):
        return target.startswith(wanted[:-1])
    return wanted in (target, target.partition("?")[0])


class Wanted:
    """An ID that somebody asks for: of ours, or of the client, the upstream or a trace, as it was
    sent or as it is shown; any of `asked` will do."""

    def __init__(self, *asked: str) -> None:
        sent = {*asked, *(a.encode("utf-8", "surrogateescape").decode("latin-1") for a in asked)}
        self.forms: Final = frozenset(sent | {redact(form) for form in sent})
        """How it may stand in a record; headers are decoded as latin-1."""

    def names(self, x: Exchange) -> bool:
        """Whether this exchange has, or was given, that ID."""
        return any(found in self.forms for found in ids_of(x))


def ids_of(x: Exchange) -> Iterator[str]:
    """Every ID by which somebody may know an exchange, ours first, as it is recorded."""
    yield x.request_id
    if x.span_context:
        yield x.trace_id
    if x.client_request_id:
        yield x.client_request_id
    if x.upstream_ids:
        yield from x.upstream_ids.values()
    for attempt in x.attempts:
        if attempt.upstream_ids:
            yield from attempt.upstream_ids.values()
