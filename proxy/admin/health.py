"""The body and status of `/health`, made from values that others measured. No I/O, no decision
but one word.

Degraded is: an upstream failing, a critical circuit open, a certificate of ours expired, or new
requests refused as too many. An open breaker does not make the process unready, that is `/readyz`'s
business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from proxy.clock import iso
from proxy.observation.readings import PoolLevels
from proxy.observation.reload_report import ReloadReport
from proxy.observation.upstream_status import UpstreamHealth
from proxy.tls.facts import CertificateFacts
from proxy.upstream.health.view import EndpointView


class PoolFacts(PoolLevels, Protocol):
    """What is read of a pool's view."""

    @property
    def size(self) -> int: ...
    @property
    def oldest_age(self) -> float | None: ...


class BreakerFacts(Protocol):
    """What is read of a breaker's view."""

    @property
    def state(self) -> str: ...
    @property
    def failure_count(self) -> int: ...
    @property
    def success_count(self) -> int: ...
    @property
    def opened_at(self) -> float | None: ...
    @property
    def retry_in(self) -> float: ...


@dataclass(frozen=True, slots=True)
class CircuitView:
    """A route's breaker; `is_critical` as its rule says."""

    view: BreakerFacts
    is_critical: bool = True


@dataclass(frozen=True, slots=True)
class HealthView:
    """Everything in `/health`. Upstreams and pools by upstream, circuits by route."""

    now: float
    wall: float
    """The same moment as `now`, in seconds since 1970."""
    started: float
    upstreams: Mapping[str, UpstreamHealth]
    circuits: Mapping[str, CircuitView]
    pools: Mapping[str, PoolFacts]
    version: str
    config_hash: str
    reloaded: ReloadReport | None = None
    """What came of the last reload; None: the settings are those of the start."""
    certificates: Sequence[CertificateFacts] = ()
    overload: str | None = None
    """Why new requests are refused; None while they are taken."""
    endpoints: Mapping[str, Sequence[EndpointView]] = field(default_factory=dict)
    """By upstream."""

    @property
    def critical_circuits_open(self) -> list[str]:
        """Routes whose circuit is open and critical; a half-open one is being probed."""
        return [
            name
            for name, circuit in self.circuits.items()
            if circuit.is_critical and circuit.view.state == "open"
        ]

    @property
    def status(self) -> Literal["ok", "degraded"]:
        is_failing = any(health.status == "failing" for health in self.upstreams.values())
        is_bad = (
            is_failing or self.certificates_expired or self.critical_circuits_open or self.overload
        )
        return "degraded" if is_bad else "ok"

    @property
    def certificates_expired(self) -> list[str]:
        """Whose: nobody who checks them comes through."""
        return [
            one.name
            for one in self.certificates
            if one.expires is not None and one.expires <= self.wall
        ]

    def body(self) -> dict[str, object]:
        """As it stands in the JSON."""
        return {
            "status": self.status,
            "uptime_seconds": round(self.now - self.started, 3),
            "upstreams": {name: self.upstream(name) for name in self.upstreams},
            "circuit_breakers": {name: self.circuit(name) for name in self.circuits},
            "critical_circuits_open": self.critical_circuits_open,
            "overload": self.overload,
            "pools": {name: _pool(view) for name, view in self.pools.items()},
            "certificates": {one.name: one.body(self.wall) for one in self.certificates},
            "version": self.version,
            "config_hash": self.config_hash,
            "reload": self._reload(),
        }

    def _reload(self) -> dict[str, object] | None:
        """How the last one went, and not what was wrong: everybody may ask here."""
        last = self.reloaded
        if last is None:
            return None
        return {
            "result": last.result,
            "at": iso(last.at),
            "faults": len(last.faults),
            "needs_restart": list(last.needs_restart),
        }

    def dated(self, at: float) -> str:
        """A moment of the clock that never jumps, as a date."""
        return iso(self.wall - (self.now - at))

    def upstream(self, name: str) -> dict[str, object]:
        """As the JSON shows one."""
        health = self.upstreams[name]
        return {
            "status": health.status,
            "reason": health.reason,
            "since": None if health.since is None else self.dated(health.since),
            "failures": health.failures,
            "endpoints": [self._endpoint(view) for view in self.endpoints.get(name, ())],
        }

    def _endpoint(self, view: EndpointView) -> dict[str, object]:
        return {
            "endpoint": view.endpoint,
            "address": view.address,
            "status": view.status,
            "reason": view.reason,
            "since": None if view.since is None else self.dated(view.since),
            "retry_in_seconds": None
            if view.until is None
            else round(max(0.0, view.until - self.now), 3),
        }

    def circuit(self, name: str) -> dict[str, object]:
        """As the JSON shows one."""
        view = self.circuits[name].view
        return {
            "state": view.state,
            "failure_count": view.failure_count,
            "success_count": view.success_count,
            "opened_at": None if view.opened_at is None else self.dated(view.opened_at),
            "retry_in_seconds": round(view.retry_in, 3),
        }


def _pool(view: PoolFacts) -> dict[str, object]:
    age = view.oldest_age
    return {
        "size": view.size,
        "in_use": view.in_use,
        "idle": view.idle,
        "waiting": view.waiting,
        "oldest_age_seconds": None if age is None else round(age, 3),
    }
