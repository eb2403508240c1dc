"""What `/api/limits` says: every limit as it is set, what it decided, and whom it refuses."""

from collections.abc import Iterable

from proxy.admin.json_view import JsonObject
from proxy.limits.concurrency import Concurrency
from proxy.limits.overload import Overload
from proxy.limits.places import Places
from proxy.limits.rate import RateLimit
from proxy.limits.refused_keys import RefusedKey
from proxy.routing import Route


def limits_body(
    routes: Iterable[Route], overall: Places | None, overload: Overload, now: float
) -> JsonObject:
    """As it stands in the JSON. Clients that chose their keys are hashes."""
    routes = list(routes)
    rates = [
        _rate(route.name, limit, now)
        for route in routes
        if route.rate_limits is not None
        for limit in route.rate_limits
    ]
    places = [_places("*", overall)] if overall is not None else []
    return {
        "rate_limits": rates,
        "concurrency": places + [_own(r.name, r.concurrency) for r in routes if r.concurrency],
        "overload": {"reason": overload.detail, "refused": overload.refused},
    }


def _rate(route: str, limit: RateLimit, now: float) -> JsonObject:
    return {
        "route": route,
        "policy": limit.name,
        "rate": limit.rate,
        "burst": limit.quota.burst,
        "by": limit.by,
        "dry_run": limit.dry_run,
        "allowed": limit.allowed,
        "refused": limit.refused,
        "limited_now": [
            {**_key(one), "retry_in_seconds": round(one.until - now, 3)}
            for one in limit.refused_keys.now(now)
        ],
        "refused_most": [_key(one) for one in limit.refused_keys.most()],
    }


def _own(route: str, concurrency: Concurrency) -> JsonObject:
    return {
        **_places(route, concurrency.places),
        "by": concurrency.by,
        "refused_most": [_key(one) for one in concurrency.refused_keys.most()],
    }


def _places(scope: str, places: Places) -> JsonObject:
    return {
        "scope": scope,
        "limit": places.limit,
        "per_client": places.per_client,
        "in_use": places.in_use,
        "waiting": places.waiting,
    }


def _key(one: RefusedKey) -> JsonObject:
    """`at_least` is less than `refused` where others were forgotten for it."""
    return {"client": one.client, "refused": one.count, "at_least": one.count - one.over}
