"""Which Sidelight a page is of: service, host, version, and for how long it has run."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from proxy.admin.sources import AdminSources
from proxy.diagnostics.stories.words import lasting

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Identity:
    """`uptime` in seconds."""

    service: str
    host: str
    version: str
    uptime: float

    @property
    def name(self) -> str:
        return f"{self.service} on {self.host}"

    @property
    def words(self) -> str:
        """In one line."""
        days = self.uptime / _DAY
        up = f"{days:.1f} d" if days >= 1 else lasting(self.uptime)
        return f"{self.name} · {self.version} · up {up}"


IDENTITY: web.AppKey[Callable[[], Identity]] = web.AppKey("identity")


def identity_reader(sources: AdminSources) -> Callable[[], Identity]:
    """What says it at the moment; service and host do not change."""
    service = str(sources.config().get("service", "sidelight"))
    host = socket.gethostname()

    def now() -> Identity:
        health = sources.health()
        return Identity(service, host, health.version, health.now - health.started)

    return now
