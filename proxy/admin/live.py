"""What runs at this moment, and how the last five minutes went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy.admin.health import HealthView
from proxy.clock import iso
from proxy.observation.summary import SLOT, Slot


@dataclass(frozen=True, slots=True)
class Running:
    """Exchanges of one route that are under way; `streams` are among them."""

    in_flight: int = 0
    streams: int = 0


@dataclass(frozen=True, slots=True)
class Live:
    """`running` is by route, `slots` are the oldest first; the last of them is under way."""

    health: HealthView
    running: Mapping[str, Running]
    slots: Sequence[Slot]

    @property
    def in_flight(self) -> int:
        return sum(route.in_flight for route in self.running.values())

    @property
    def streams(self) -> int:
        return sum(route.streams for route in self.running.values())

    def body(self) -> dict[str, object]:
        """As it stands in the JSON."""
        view = self.health.body()
        return {
            "at": iso(self.health.wall),
            "status": view["status"],
            "in_flight": self.in_flight,
            "streams": self.streams,
            "routes": {
                name: {"in_flight": route.in_flight, "streams": route.streams}
                for name, route in self.running.items()
            },
            "upstreams": view["upstreams"],
            "circuit_breakers": view["circuit_breakers"],
            "pools": view["pools"],
            "slot_seconds": SLOT,
            "slots": [self._slot(slot) for slot in self.slots],
        }

    def _slot(self, slot: Slot) -> dict[str, object]:
        return {
            "began": self.health.dated(slot.began),
            "requests": slot.requests,
            "errors": slot.errors,
            "p50_ms": round(1000 * slot.p50, 3),
            "p95_ms": round(1000 * slot.p95, 3),
        }
