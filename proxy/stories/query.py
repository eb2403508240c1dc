"""Which stories somebody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final

from proxy.exchange import Exchange
from proxy.stories.story import fields_of

SAME_ID: Final = 50
"""Stories that one ID may bring: a client may send the same one for ever."""


@dataclass(frozen=True, slots=True)
class Query:
    """All conditions together; None asks for nothing. Times are wall seconds of the end."""

    code: str | None = None
    route: str | None = None
    status: int | None = None
    since: float | None = None
    until: float | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Values of the team's own fields, as they were recorded: redacted, perhaps hashed."""
    limit: int = 100

    def takes(self, x: Exchange) -> bool:
        """Whether this exchange, which has ended, is asked for."""
        code = x.outcome.code if x.outcome else None
        asked = ((self.code, code), (self.route, x.route), (self.status, x.status))
        if any(wanted is not None and wanted != had for wanted, had in asked):
            return False
        if not self.spans(x.started_wall + x.duration):
            return False
        return not self.fields or self.fields.items() <= fields_of(x).items()

    def spans(self, ended: float) -> bool:
        """Whether an end at this wall time lies within."""
        return (self.since or -inf) <= ended <= (inf if self.until is None else self.until)
