"""An endpoint of the admin port: what answers, and what the document says of it, in one place."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

Answerer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Schema = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`name` in the path where the path has it in braces, else in the query."""

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Operation:
    """`gives` names a schema of the document, `refusals` the statuses besides with their reason."""

    method: str
    path: str
    answer: Answerer
    summary: str
    gives: str
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    takes: str | None = None
    """Schema of the JSON body; None where there is none to be sent."""
    refusals: Mapping[int, str] = field(default_factory=dict)
    media_type: str = "application/json"

    def route(self) -> web.RouteDef:
        """GET answers HEAD as well."""
        if self.method == "GET":
            return web.get(self.path, self.answer)
        return web.route(self.method, self.path, self.answer)
