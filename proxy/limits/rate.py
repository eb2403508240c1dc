"""The rate limits of a route: all must give leave, and a request that is refused costs nothing."""

from collections.abc import Iterator, Sequence

from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.limits.arrivals import Arrivals
from proxy.limits.fields import LimitMember, limit_field, policy_field
from proxy.limits.gcra import Quota
from proxy.limits.keys import ClientKeys, KeySource
from proxy.limits.refused_keys import RefusedKeys


class RateLimit:
    """One limit; `source` tells clients apart, None: nothing does, all count together."""

    def __init__(
        self,
        name: str,
        quota: Quota,
        source: KeySource | None,
        arrivals: Arrivals,
        *,
        rate: str,
        dry_run: bool = False,
    ) -> None:
        self.name = name
        self.member = LimitMember(name)
        self.quota = quota
        self.scale, self.interval, self.tolerance = quota.scale, quota.interval, quota.tolerance
        self.rate = rate
        """As it is set, for people."""
        self.source = source
        self.by = "all" if source is None else source.words
        self.dry_run = dry_run
        self.allowed = self.refused = 0
        """Decisions so far; `refused` would have been, where it only runs dry."""
        self.refused_keys = RefusedKeys()
        self.arrivals = arrivals
        self.times = arrivals.times
        self.key = 0
        """Of the request that is judged: nobody waits before all is decided."""
        self.early = self._at = 0
        """Ticks by which it comes before its theoretical arrival time, 0: at rest; and when."""

    def look(self, micros: int) -> int:
        """How early the request is that comes at `micros`; nothing is taken yet."""
        self._at = at = micros if self.scale == 1 else micros * self.scale
        self.early = early = max(0, self.times.get(self.key, 0) - at)
        return early

    def take(self) -> bytes:
        """Count the request as let in: what that leaves the client, for the header."""
        early = self.early
        due = early + self.interval
        self.allowed += 1
        self.arrivals.put(self.key, self._at + due, self._at)
        return self.member.of((self.tolerance - early) // self.interval, self.quota.seconds(due))

    def refuse(self, client: str, now: float) -> tuple[float, str]:
        """Count the request as refused: for how many seconds, and in which words."""
        wait = self.quota.wait(self.early)
        self.refused += 1
        self.refused_keys.count(client, now + wait)
        set_to = f"{self.rate}, burst {self.quota.burst}, by {client}"
        return wait, f"rate_limit {self.name}: no leave for {wait:.1f} s ({set_to})"

    def follow(self, before: "RateLimit") -> None:
        """Count on from where `before` has come."""
        self.allowed, self.refused = before.allowed, before.refused
        self.refused_keys = before.refused_keys


class Verdict:
    """What all limits of a route say to a request."""

    def __init__(self, fields: bytes = b"", *, all_fit: bool = True) -> None:
        self.all_fit = all_fit
        """Whether no limit refused it, those that only run dry included."""
        self.wait = 0.0
        """Seconds until it would be let in; 0 where it is."""
        self.detail: str | None = None
        """Who refused it and why; None where nobody did."""
        self.would_refuse: str | None = None
        """The same of a limit that only runs dry."""
        self.fields = fields
        """Header lines that tell the client what it may do."""


class RateLimits:
    """All limits of a route, in the order of the settings."""

    def __init__(self, limits: Sequence[RateLimit], keys: ClientKeys) -> None:
        self.limits = list(limits)
        self._keys = keys
        told = [limit for limit in limits if not limit.dry_run]
        scales = {limit.quota.scale for limit in limits}
        self._scale = scales.pop() if len(scales) == 1 else 0
        """Ticks in a microsecond; 0 where they are not as many for all limits."""
        self._policies = policy_field([(limit.name, limit.quota) for limit in told])
        at_rest = [
            limit.member.of(limit.quota.burst - 1, limit.quota.seconds(limit.interval))
            for limit in told
        ]
        self._from_rest = Verdict(self._lines(at_rest))
        """On requests that find every key at rest, as most do."""
        self._members, self._last = at_rest, self._from_rest
        """The last verdict that let one in, and what it was made of: many are alike."""

    def judge(self, asked: RequestHead, x: Exchange, now: float) -> Verdict:
        """Whether all give leave; only then does the request count, for each of them."""
        keys, scale, micros = self._keys, self._scale, int(now * 1e6 + 0.5)
        at = micros if scale == 1 else micros * scale
        are_at_rest = scale != 0
        for limit in self.limits:
            limit.key = key = keys.of(limit.source, asked, x)
            if limit.times.get(key, 0) > at:
                are_at_rest = False
        if not are_at_rest:
            return self._decide(asked, x, now, micros)
        for limit in self.limits:
            limit.allowed += 1
            limit.arrivals.put(limit.key, at + limit.interval, at)
        return self._from_rest

    def _decide(self, asked: RequestHead, x: Exchange, now: float, micros: int) -> Verdict:
        """The verdict on a request that may not find every key at rest."""
        all_fit = True
        for limit in self.limits:
            if limit.look(micros) > limit.tolerance:
                all_fit = False
        if not all_fit:
            return self._refuse(asked, x, now)
        members = _take(self.limits)
        if members != self._members:
            self._members, self._last = members, Verdict(self._lines(members))
        return self._last

    def _refuse(self, asked: RequestHead, x: Exchange, now: float) -> Verdict:
        """The verdict where a limit gives no leave; one that only runs dry refuses nobody."""
        verdict = Verdict(all_fit=False)
        fitting: list[RateLimit] = []
        members: list[bytes] = []
        for limit in self.limits:
            if limit.early <= limit.tolerance:
                fitting.append(limit)
                continue
            wait, words = limit.refuse(self._keys.words(limit.source, asked, x), now)
            if limit.dry_run:
                verdict.would_refuse = verdict.would_refuse or words
                continue
            members.append(limit.member.of(0, limit.quota.seconds(limit.early)))
            if wait > verdict.wait:
                verdict.wait, verdict.detail = wait, words
        verdict.fields = self._lines(members if verdict.detail else _take(fitting))
        return verdict

    def _lines(self, members: list[bytes]) -> bytes:
        """Header lines with what is left of each limit."""
        return self._policies + limit_field(members) if members else b""

    def __iter__(self) -> Iterator[RateLimit]:
        return iter(self.limits)

    def counts(self) -> Iterator[tuple[str, str, int]]:
        """Policy, decision and how often, for metrics."""
        for limit in self.limits:
            yield limit.name, "allowed", limit.allowed
            yield limit.name, "would_refuse" if limit.dry_run else "refused", limit.refused


def _take(limits: Sequence[RateLimit]) -> list[bytes]:
    """Count a request for these limits: what that leaves, for the header."""
    members: list[bytes] = []
    for limit in limits:
        member = limit.take()
        if not limit.dry_run:
            members.append(member)
    return members
