"""Which endpoint an attempt goes to, and why.

Where all but one are out of use that one is taken, whatever the rule; an exchange that failed at
one goes to another; an ejected one gets a probe when its time has come; else the rule decides.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

from proxy.upstream.balancing.ring import HashRing
from proxy.upstream.balancing.turns import Turns
from proxy.upstream.balancing.two_choices import TwoChoices
from proxy.upstream.choice import Choice
from proxy.upstream.chosen import Chosen, Why
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.endpoints import Endpoints

_BY_RULE: Final = frozenset({"only", "turn", "fewer_requests", "hash"})


class Chooser:
    """Chooses among the endpoints of one upstream; `balance` is one of the rule's."""

    def __init__(
        self, endpoints: Endpoints, balance: str, rng: Callable[[], float] = random.random
    ) -> None:
        self._endpoints = endpoints
        self._balance = balance
        self._rng = rng
        self._version = 0
        """Of the endpoints, when the rest was made from them."""
        self._turns: Turns | None = None
        self._two: TwoChoices | None = None
        self._ring: HashRing | None = None
        self._on_ring: list[Endpoint] = []
        self._usable: frozenset[Endpoint] = frozenset()

    def choose(self, choice: Choice, now: float) -> Endpoint | None:
        """The endpoint for the next attempt, said in `choice`; None where none may be used."""
        endpoints = self._endpoints
        if now >= endpoints.due:
            endpoints.refresh(now)
        if self._version != endpoints.version:
            self._prepare()
        usable = endpoints.usable
        if choice.tried:
            return self._elsewhere(choice)
        if now >= endpoints.probe_due:
            for endpoint in endpoints.all:
                if endpoint.ejection.probe_at <= now and self._may_probe(endpoint, choice):
                    return self._probe(endpoint, choice, now)
        if len(usable) <= 1:
            return self._give(usable[0], choice, "only") if usable else None
        if self._two is not None:
            return self._less_loaded(self._two, choice)
        if self._turns is not None:
            return self._give(usable[self._turns.next()], choice, "turn")
        return self._give(self._on_the_way(choice, self._usable), choice, "hash")

    def has_another(self, choice: Choice, now: float) -> bool:
        """Whether an attempt would go to an endpoint that has not failed the exchange yet."""
        if now >= self._endpoints.due:
            self._endpoints.refresh(now)
        return any(endpoint not in choice.tried for endpoint in self._endpoints.usable)

    def instead(self, choice: Choice) -> list[Endpoint]:
        """Others that will do where the chosen one has no connection free, the best first."""
        others = [each for each in self._endpoints.usable if each not in choice.tried]
        others.sort(key=_load)
        if self._ring is not None and others:
            nearest = self._on_the_way(choice, frozenset(others))
            others.sort(key=lambda each: each is not nearest)
        return others

    def divert(self, endpoint: Endpoint, choice: Choice) -> None:
        """It is to be that one after all."""
        instead_of = choice.tried.pop()
        if choice.is_probe:
            instead_of.ejection.probe_ended()
            self._endpoints.probe_due = min(self._endpoints.probe_due, instead_of.ejection.until)
        self._give(endpoint, choice, "full")

    def _prepare(self) -> None:
        """Draw up what the rule needs of the endpoints as they are now."""
        endpoints = self._endpoints
        self._version = endpoints.version
        if self._balance == "hash":
            self._usable = frozenset(endpoints.usable)
            if self._on_ring != endpoints.all:
                self._on_ring = endpoints.all
                names = [endpoint.name for endpoint in self._on_ring]
                self._ring = HashRing(names, [endpoint.weight for endpoint in self._on_ring])
        elif len(endpoints.usable) > 1:
            if self._balance == "round_robin":
                self._turns = Turns(endpoints.weights)
            else:
                self._two = TwoChoices(endpoints.weights, self._rng)

    def _less_loaded(self, two: TwoChoices, choice: Choice) -> Endpoint:
        endpoints = self._endpoints
        number = two.first()
        other = two.second(number)
        first, second = endpoints.usable[number], endpoints.usable[other]
        weights = endpoints.weights
        if second.in_use * weights[number] < first.in_use * weights[other]:
            first, second = second, first
        self._give(first, choice, "fewer_requests")
        if choice.chosen is not None:
            choice.chosen.rival, choice.chosen.rival_in_use = second.name, second.in_use
        return first

    def _on_the_way(self, choice: Choice, wanted: frozenset[Endpoint]) -> Endpoint:
        """The first of `wanted` on the ring, from the client's key on."""
        ring = self._ring
        if ring is not None:
            position = ring.start(choice.key)
            for step in range(position, position + len(ring)):
                endpoint = self._on_ring[ring.owner(step)]
                if endpoint in wanted:
                    return endpoint
        return next(iter(wanted))

    def _elsewhere(self, choice: Choice) -> Endpoint | None:
        """One that has not failed the exchange; else one that was not the last to."""
        usable, failed = self._endpoints.usable, choice.tried[-1]
        others = [each for each in usable if each not in choice.tried]
        if others and self._ring is not None:
            return self._give(self._on_the_way(choice, frozenset(others)), choice, "elsewhere")
        if not others:  # one that rests may be worth a try
            others = [
                each
                for each in self._endpoints.all
                if each not in choice.tried
                and not each.ejection.is_out
                and each.health.healthy is not False
            ]
        if others:
            return self._give(self._least(others), choice, "elsewhere")
        others = [each for each in usable if each is not failed] or usable
        return self._give(self._least(others), choice, "none_better") if others else None

    def _least(self, endpoints: Sequence[Endpoint]) -> Endpoint:
        """The least loaded; of equal ones any."""
        return min(endpoints, key=lambda each: (_load(each), self._rng()))

    def _may_probe(self, endpoint: Endpoint, choice: Choice) -> bool:
        """A probe takes nobody from the endpoint that its key leads to."""
        if endpoint.health.healthy is False:
            return False
        everyone = frozenset(self._on_ring)
        return self._ring is None or self._on_the_way(choice, everyone) is endpoint

    def _probe(self, endpoint: Endpoint, choice: Choice, now: float) -> Endpoint:
        endpoint.ejection.probe(now)
        self._endpoints.refresh(now)
        self._give(endpoint, choice, "probe")
        choice.is_probe = True
        return endpoint

    def _give(self, endpoint: Endpoint, choice: Choice, why: Why) -> Endpoint:
        endpoints = self._endpoints
        if endpoints.is_panicking and why in _BY_RULE:
            why = "panic"
        choice.chosen = Chosen(why, endpoint.in_use, len(endpoints.usable), endpoints.known)
        choice.tried.append(endpoint)
        choice.endpoint = endpoint
        choice.is_probe = False
        return endpoint


def _load(endpoint: Endpoint) -> float:
    return endpoint.in_use / endpoint.weight
