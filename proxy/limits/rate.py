"""The rate limits of a route: all must give leave, and a request that is refused costs nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.limits.arrivals import Arrivals
from proxy.limits.fields import LimitMember, limit_field, policy_field
from proxy.limits.gcra import Decision, Quota, check_arrival
from proxy.limits.keys import ClientKeys, KeySource
from proxy.limits.refused_keys import RefusedKeys

_NONE: Final = Decision(0, 0, 0.0, 0, 0)


class RateLimit:
    """One limit; `source` tells clients apart, None: nothing does, all count together."""

    def __init__(
        self,
        name: str,
        quota: Quota,
        source: KeySource | None,
        arrivals: Arrivals,
        keys: ClientKeys,
        *,
        rate: str,
        dry_run: bool = False,
    ) -> None:
        self.name = name
        self.member = LimitMember(name)
        self.quota = quota
        self.rate = rate
        """As it is set, for people."""
        self.by = "all" if source is None else source.words
        self.dry_run = dry_run
        self.allowed = self.refused = 0
        """Decisions so far; `refused` would have been, where it only runs dry."""
        self.refused_keys = RefusedKeys()
        self.arrivals = arrivals
        self._source = source
        self._keys = keys
        self._key = 0
        self.decision = _NONE
        """On the request that was looked at last; nobody waits between that and `take`."""

    def look(self, asked: RequestHead, x: Exchange, now: float) -> Decision:
        """What it would decide of a request; nothing is taken yet."""
        self._key = self._keys.of(self._source, asked, x)
        self.decision = check_arrival(self.quota, self.arrivals.get(self._key), now)
        return self.decision

    def take(self) -> None:
        """Count the request that was looked at last: it is let in."""
        self.allowed += 1
        self.arrivals.put(self._key, self.decision.arrival, self.decision.at)

    def follow(self, before: "RateLimit") -> None:
        """Count on from where `before` has come."""
        self.allowed, self.refused = before.allowed, before.refused
        self.refused_keys = before.refused_keys

    def words(self, decision: Decision, client: str) -> str:
        """The decision as stories tell it; `client` is who was refused."""
        set_to = f"{self.rate}, burst {self.quota.burst}, by {client}"
        return f"rate_limit {self.name}: no leave for {decision.wait:.1f} s ({set_to})"

    def client(self, asked: RequestHead, x: Exchange) -> str:
        """The client in words."""
        return self._keys.words(self._source, asked, x)


class Verdict:
    """What all limits of a route say to a request."""

    def __init__(self) -> None:
        self.wait = 0.0
        """Seconds until it would be let in; 0 where it is."""
        self.detail: str | None = None
        """Who refused it and why; None where nobody did."""
        self.would_refuse: str | None = None
        """The same of a limit that only runs dry."""
        self.fields = b""
        """Header lines that tell the client what it may do."""


class RateLimits:
    """All limits of a route, in the order of the settings."""

    def __init__(self, limits: Sequence[RateLimit]) -> None:
        self.limits = list(limits)
        told = [limit for limit in limits if not limit.dry_run]
        self._policies = policy_field([(limit.name, limit.quota) for limit in told])
        self._members: list[bytes] = []
        """Those of the last verdict, and the lines that they made: many are alike."""
        self._fields = b""

    def judge(self, asked: RequestHead, x: Exchange, now: float) -> Verdict:
        """Whether all give leave; only then does the request count, for each of them."""
        verdict = Verdict()
        for limit in self.limits:
            decision = limit.look(asked, x, now)
            if decision.wait > 0.0:
                _refuse(verdict, limit, decision, limit.client(asked, x), now)
        let_in = verdict.detail is None
        members: list[bytes] = []
        for limit in self.limits:
            decision = limit.decision
            fits = decision.wait == 0.0
            if fits and let_in:
                limit.take()
            if fits == let_in and not limit.dry_run:
                members.append(limit.member.of(decision.remaining, decision.reset))
        if members != self._members:
            self._members, self._fields = members, self._policies + limit_field(members)
        if members:
            verdict.fields = self._fields
        return verdict

    def __iter__(self) -> Iterator[RateLimit]:
        return iter(self.limits)

    def counts(self) -> Iterator[tuple[str, str, int]]:
        """Policy, decision and how often, for metrics."""
        for limit in self.limits:
            yield limit.name, "allowed", limit.allowed
            yield limit.name, "would_refuse" if limit.dry_run else "refused", limit.refused


def _refuse(
    verdict: Verdict, limit: RateLimit, decision: Decision, client: str, now: float
) -> None:
    limit.refused += 1
    limit.refused_keys.count(client, now + decision.wait)
    if limit.dry_run:
        verdict.would_refuse = verdict.would_refuse or limit.words(decision, client)
    elif decision.wait > verdict.wait:
        verdict.wait, verdict.detail = decision.wait, limit.words(decision, client)
