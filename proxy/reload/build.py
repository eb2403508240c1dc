"""Builds everything that exchanges go by from settings, beside what is in force.

State that new settings do not touch is taken over as it is: the same objects, or new ones around
the same buckets and places. Building changes nothing: what has to be done to the old ones when the
new ones take over is listed in `at_switch`. It may read files, so a thread is the place for it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from proxy.context import Plan
from proxy.diagnostics.stories.hash_key import hash_key
from proxy.fallback.build import fallback
from proxy.http.head_writer import Heads
from proxy.http.proxy_status import ProxyStatus
from proxy.http.trust import Peers
from proxy.limits.build import concurrency, rate_limits
from proxy.limits.concurrency import Concurrency
from proxy.limits.keys import ClientKeys
from proxy.limits.overload import Overload
from proxy.limits.places import Places
from proxy.limits.rate import RateLimits
from proxy.observation.custom_fields import CustomFields
from proxy.observation.observer import Observer
from proxy.observation.record import EmitEvent
from proxy.resilience.breaker import Breaker
from proxy.resilience.budget import Budget
from proxy.resilience.permits import Transition
from proxy.routing import Route, Router
from proxy.settings.schema import ResolvedRoute, Settings
from proxy.settings.survival import (
    keeps_budget,
    keeps_circuit,
    keeps_connections,
    keeps_places,
    kept_buckets,
)
from proxy.tracing.sampling import Sampler
from proxy.upstream.endpoint_change import EndpointChange
from proxy.upstream.upstream import Upstream

Switch = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Built:
    """What settings were made into."""

    settings: Settings
    plan: Plan
    routes: tuple[Route, ...]
    peers: Peers
    at_switch: tuple[Switch, ...]
    """What is done to what was there before, when this takes its place."""

    def replaced(self, before: "Built") -> list[Upstream]:
        """Upstreams that are no more when this takes the place of `before`."""
        upstreams = self.plan.upstreams
        return [up for name, up in before.plan.upstreams.items() if upstreams.get(name) is not up]


class Builder:
    """Has what lives as long as the process: secrets made at the start, and who is told."""

    def __init__(
        self,
        observer: Observer,
        tell: EmitEvent,
        breaker_changed: Callable[[Transition], None],
        has_room: Callable[[int], bool],
        overload: Overload,
        sampler: Sampler | None,
    ) -> None:
        self._observer, self._tell = observer, tell
        self._breaker_changed, self._has_room = breaker_changed, has_room
        self._overload, self._sampler = overload, sampler
        self._pseudonym = f"sidelight-{secrets.token_hex(4)}"
        self._keys = ClientKeys(secrets.token_bytes(32))
        self._made_key: bytes | None = None
        """The key of hashes, where the settings have none."""
        self.current: Built | None = None
        """What is in force: objects of an earlier one tell nothing any more."""

    def build(self, settings: Settings) -> Built:
        """Raises OSError, or its kind ssl.SSLError, or ValueError, where a file cannot be used."""
        before, switch = self.current, list[Switch]()
        upstreams = {name: self._upstream(name, settings, before) for name in settings.upstreams}
        routes_before = {route.name: route for route in before.routes} if before else {}
        routes = tuple(
            self._route(rule, routes_before.get(rule.name), switch) for rule in settings.routes
        )
        peers = Peers(settings.trusted_proxies, settings.identity.trust_from)
        plan = self._plan(settings, routes, upstreams, self._overall(settings, before, switch))
        return Built(settings, plan, routes, peers, tuple(switch))

    def _plan(
        self,
        settings: Settings,
        routes: tuple[Route, ...],
        upstreams: dict[str, Upstream],
        overall: Places | None,
    ) -> Plan:
        identity, errors, fields = settings.identity, settings.errors, settings.observe.fields
        return Plan(
            router=Router(routes),
            upstreams=upstreams,
            heads=Heads(identity.header, self._pseudonym),
            pseudonym=self._pseudonym.encode(),
            identity=identity,
            other_ids=identity.other_ids,
            problem_json=errors.format == "problem",
            html_errors=errors.html,
            proxy_status=ProxyStatus(settings.service, on_all=errors.proxy_status == "all"),
            cors=settings.cors,
            fields=CustomFields(fields, self._hash_key(settings)).of if fields else None,
            watcher=self._observer.streams,
            config_hash=settings.config_hash,
            overload=self._overload,
            concurrency=overall,
            sampler=self._sampler,
        )

    def _hash_key(self, settings: Settings) -> bytes:
        """That of the settings, or one that is made once: the same value keeps its hash."""
        observe = settings.observe
        if not observe.hashes:
            return b""
        if observe.hash_key is not None:
            return observe.hash_key.get_secret_value().encode()
        if self._made_key is None:
            self._made_key = hash_key(None, settings.store.path, self._tell)
        return self._made_key

    def _upstream(self, name: str, settings: Settings, before: Built | None) -> Upstream:
        rule = settings.upstreams[name]
        old = before.plan.upstreams.get(name) if before else None
        if old is not None and keeps_connections(old.rule, rule):
            return old

        def changed(change: EndpointChange) -> None:
            if self.current and self.current.plan.upstreams.get(name) is made:
                self._observer.endpoint_changed(name, change)

        made = Upstream(name, rule, on_endpoint=changed, has_room=self._has_room)
        return made

    def _route(self, rule: ResolvedRoute, old: Route | None, switch: list[Switch]) -> Route:
        spare = fallback(rule.fallback, rule.stream.end_marker)
        if old is not None and old.rule == rule and old.fallback == spare:
            return old
        keeps = old is not None and keeps_budget(old.rule, rule)
        budget = old.budget if old and keeps else Budget(rule.retry.budget)
        limits = self._rate_limits(rule, old, switch)
        places = self._places(rule, old, switch)
        headers = (rule.headers.request.change, rule.headers.response.change)
        return Route(rule, self._breaker(rule, old), budget, limits, places, spare, *headers)

    def _breaker(self, rule: ResolvedRoute, old: Route | None) -> Breaker:
        if old is not None and keeps_circuit(old.rule, rule):
            return old.breaker

        def changed(change: Transition) -> None:
            current = self.current.routes if self.current else ()
            if any(route.breaker is made for route in current):
                self._breaker_changed(change)

        made = Breaker(rule.name, rule.breaker, changed)
        return made

    def _rate_limits(
        self, rule: ResolvedRoute, old: Route | None, switch: list[Switch]
    ) -> RateLimits | None:
        if old is None or old.rate_limits is None:
            return rate_limits(rule.name, rule.rate_limit, self._keys)
        if old.rule.rate_limit == rule.rate_limit:
            return old.rate_limits
        kept = kept_buckets(old.rule.rate_limit, rule.rate_limit)
        before = [None if n is None else old.rate_limits.limits[n] for n in kept]
        made = rate_limits(rule.name, rule.rate_limit, self._keys, before)
        for limit, earlier in zip(made.limits if made else (), before, strict=True):
            if earlier is not None and earlier.name == limit.name:
                switch.append(partial(limit.follow, earlier))
        return made

    def _places(
        self, rule: ResolvedRoute, old: Route | None, switch: list[Switch]
    ) -> Concurrency | None:
        wanted = rule.concurrency
        if old is None or old.concurrency is None:
            return concurrency(wanted, self._keys)
        if old.rule.concurrency == wanted:
            return old.concurrency
        places = old.concurrency.places
        if not keeps_places(old.rule, rule):
            switch.append(partial(places.resize, None, None, 0))  # whoever waits may come in
            return None
        switch.append(partial(places.resize, wanted.limit, wanted.per_client, wanted.queue))
        return concurrency(wanted, self._keys, places)

    def _overall(
        self, settings: Settings, before: Built | None, switch: list[Switch]
    ) -> Places | None:
        """The places of all routes together; those under way are counted on."""
        most, old = settings.listen.concurrency, before.plan.concurrency if before else None
        if old is None or most is None:
            return Places(most) if most else None
        switch.append(partial(old.resize, most, None, 0))
        return old
