"""Limits as they run, from the rules of a route."""

from collections.abc import Sequence

from proxy.limits.arrivals import LocalArrivals
from proxy.limits.concurrency import Concurrency
from proxy.limits.gcra import Quota
from proxy.limits.keys import ClientKeys, KeySource
from proxy.limits.places import Places
from proxy.limits.rate import RateLimit, RateLimits
from proxy.limits.rules import ByRequest, ConcurrencyRule, RateRule


def rate_limits(
    route: str,
    rules: Sequence[RateRule],
    keys: ClientKeys,
    before: Sequence[RateLimit | None] = (),
) -> RateLimits | None:
    """The rate limits of a route; None where it has none.

    Each takes over the buckets of the one that stands in its place in `before`.
    """
    if not rules:
        return None
    taken = [*before, *[None] * (len(rules) - len(before))]
    limits = zip(rules, taken, strict=True)
    return RateLimits(
        [_limit(rule, _name(route, n), old) for n, (rule, old) in enumerate(limits, 1)], keys
    )


def concurrency(
    rule: ConcurrencyRule, keys: ClientKeys, places: Places | None = None
) -> Concurrency | None:
    """The concurrency limit of a route, on `places` that are there; None where it has none."""
    if rule.limit is None and rule.per_client is None:
        return None
    places = places or Places(rule.limit, rule.per_client, rule.queue)
    return Concurrency(places, source_of(rule.by), keys, rule.wait)


def _name(route: str, number: int) -> str:
    return route if number == 1 else f"{route}-{number}"


def _limit(rule: RateRule, name: str, old: RateLimit | None) -> RateLimit:
    quota = Quota(rule.count, rule.period, rule.at_once)
    arrivals = old.arrivals if old else LocalArrivals(rule.keys)
    return RateLimit(
        rule.name or name,
        quota,
        source_of(rule.by),
        arrivals,
        rate=rule.rate,
        dry_run=rule.dry_run,
    )


def source_of(by: str | ByRequest) -> KeySource | None:
    """What tells clients apart; None where nothing does."""
    if isinstance(by, str):
        return None if by == "all" else KeySource("address")
    kind, name = by.source
    return KeySource(kind, name)
