"""Good traffic of several users at two endpoints, for scenes in which something goes wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.house.admin import stories
from tests.house.fault_upstream import FaultUpstream, Script
from tests.house.house import House
from tests.house.raw_client import Answer

FIELDS = {"observe": {"fields": {"user_id": {"header": "X-User"}}}}
ONCE = {"attempts": 1}
USERS = tuple(f"u{n}" for n in range(5))


@dataclass(slots=True)
class Neighbourhood:
    """The proxy in front of two endpoints; what it says of itself in stories."""

    house: House
    one: FaultUpstream
    two: FaultUpstream

    def on(self, path: str, *scripts: Script) -> None:
        """What both endpoints do for a path."""
        for upstream in (self.one, self.two):
            upstream.on(path, *scripts)

    async def ask(
        self,
        path: str,
        user: str,
        agent: str = "app/1",
        *,
        more: tuple[str, ...] = (),
        **how: Any,
    ) -> Answer:
        headers = (f"X-User: {user}", f"User-Agent: {agent}", *more)
        return await self.house.fetch(path, *headers, **how)

    async def well(self, times: int = 20, path: str = "/well/{n}") -> None:
        """Good requests of all users; the endpoints take turns."""
        for n in range(times):
            answer = await self.ask(path.format(n=n), USERS[n % len(USERS)])
            assert 200 == answer.status

    async def story(self, answer: Answer) -> dict[str, Any]:
        """Of that answer, from the API."""
        reference = answer.header("X-Request-ID")
        assert reference
        (story,) = await stories(self.house.app.admin_port, reference)
        return story


@asynccontextmanager
async def neighbourhood(
    start: Any, one: FaultUpstream, **unusual: Any
) -> AsyncIterator[Neighbourhood]:
    """`start` is the fixture `house`; `one` the fixture `upstream`."""
    async with FaultUpstream() as two:
        endpoints = {"endpoints": [one.url, two.url]} | dict(unusual.pop("upstream", {}))
        settings = FIELDS | {"retry": ONCE} | unusual
        house = await start(upstream=endpoints, **settings)
        try:
            yield Neighbourhood(house, one, two)
        finally:
            assert [] == two.errors + two.malformed
