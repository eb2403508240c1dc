"""What of a running state new settings leave as it is: the rules, asked by who builds and by who
compares.

Decides on rules only; the state itself is carried over by `reload.build`.
The table in docs/reload.md says the same.
"""

from collections.abc import Iterator, Sequence

from proxy.limits.rules import RateRule
from proxy.settings.schema import ResolvedRoute, Settings
from proxy.upstream.rules import UpstreamRule


def keeps_circuit(old: ResolvedRoute, new: ResolvedRoute) -> bool:
    """`critical` says only what an open circuit means for `/health`."""
    before = old.breaker.model_copy(update={"critical": new.breaker.critical})
    return old.upstream == new.upstream and before == new.breaker


def keeps_budget(old: ResolvedRoute, new: ResolvedRoute) -> bool:
    return old.retry.budget == new.retry.budget


def keeps_places(old: ResolvedRoute, new: ResolvedRoute) -> bool:
    """Those under way are counted on under another limit as well, but not where none counts."""
    return _has_places(old) and _has_places(new)


def keeps_connections(old: UpstreamRule, new: UpstreamRule) -> bool:
    """Connections, waiting requests and what is known of the endpoints."""
    return old == new


def kept_buckets(old: Sequence[RateRule], new: Sequence[RateRule]) -> list[int | None]:
    """For each new limit the old one whose buckets it takes over; None: it begins with none."""
    left = dict(enumerate(old))
    kept: list[int | None] = []
    for rule in new:
        found = next((n for n, before in left.items() if _has_same_buckets(before, rule)), None)
        kept.append(found)
        if found is not None:
            del left[found]
    return kept


def lost_state(old: Settings, new: Settings) -> list[str]:
    """What of the running state ends when `new` follows `old`, one sentence each."""
    return [*_lost_by_upstreams(old, new), *_lost_by_routes(old, new), *_lost_elsewhere(old, new)]


def _has_places(rule: ResolvedRoute) -> bool:
    return rule.concurrency.limit is not None or rule.concurrency.per_client is not None


def _has_same_buckets(old: RateRule, new: RateRule) -> bool:
    """A bucket is a point in time; the burst only says how far it may lie ahead."""
    return (old.rate, old.by, old.keys) == (new.rate, new.by, new.keys)


def _lost_by_upstreams(old: Settings, new: Settings) -> Iterator[str]:
    for name, rule in old.upstreams.items():
        if name not in new.upstreams:
            yield f"upstreams.{name} is gone: its connections close as their exchanges end"
        elif not keeps_connections(rule, new.upstreams[name]):
            yield (
                f"upstreams.{name}: idle connections and the state of its endpoints; "
                "running exchanges end on the old connections"
            )


def _lost_by_routes(old: Settings, new: Settings) -> Iterator[str]:
    after = {route.name: route for route in new.routes}
    for before in old.routes:
        route = after.get(before.name)
        if route is None:
            yield f"routes.{before.name} is gone: its circuit, budget, buckets and places"
        elif route != before:
            yield from _lost_by_route(before, route)


def _lost_by_route(old: ResolvedRoute, new: ResolvedRoute) -> Iterator[str]:
    where = f"routes.{new.name}"
    if not keeps_circuit(old, new):
        yield f"{where}: its circuit, which begins closed"
    if not keeps_budget(old, new):
        yield f"{where}: its retry budget, which begins full"
    kept = set(kept_buckets(old.rate_limit, new.rate_limit))
    for n, rule in enumerate(old.rate_limit):
        if n not in kept:
            yield f"{where}: the buckets of its rate limit {rule.name or rule.rate}"
    if _has_places(old) and not keeps_places(old, new):
        yield f"{where}: the count of requests under way"


def _lost_elsewhere(old: Settings, new: Settings) -> Iterator[str]:
    if old.admin.token != new.admin.token:
        yield "admin.token: every session of the dashboard"
    if old.observe.hash_key != new.observe.hash_key:
        yield "observe.hash_key: the same value has another hash from now on"
    if new.stories.memory < old.stories.memory:
        yield "stories.memory: the oldest stories in memory"
