"""The endpoints of an upstream as they are now: which there are, and which of them may be used.

What is looked through for every choice is prepared here whenever something changes, so that a
choice costs the same among a hundred as among two.
"""

from collections.abc import Callable, Sequence
from math import inf

from proxy.clock import now
from proxy.upstream.chosen import MOST_KNOWN, Known
from proxy.upstream.dns import Address, Lookup, ask_system
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.endpoint_change import ChangeKind, EndpointChange
from proxy.upstream.names import EndpointName
from proxy.upstream.rules import UpstreamRule

_STEPS = 20
"""Steps in which the weight of a slow start grows."""


class Endpoints:
    """All endpoints of an upstream. `on_change` is told what became of one.

    Whoever writes to what is known of an endpoint calls `refresh` afterwards.
    """

    def __init__(
        self,
        rule: UpstreamRule,
        on_change: Callable[[EndpointChange], None],
        lookup: Lookup = ask_system,
    ) -> None:
        self._on_change = on_change
        self._size = rule.pool.size
        self._slow_start = rule.slow_start
        self._panic = rule.panic or 0.0
        self._names = [EndpointName(url, weight, lookup) for url, weight in rule.weights]
        self.dismiss: Callable[[Endpoint], None] = _nobody
        """Closes what an endpoint has of idle connections."""
        self.all: list[Endpoint] = []
        """Those there are; an endpoint stays the same object for as long as it is one."""
        self.usable: list[Endpoint] = []
        """Those that may be chosen; empty where health checks leave none."""
        self.weights: list[float] = []
        """Of those that may be chosen, as they count now."""
        self.sole: Endpoint | None = None
        """The only one there is, if it may be used; None where there is a choice to be made."""
        self.known: tuple[Known, ...] = ()
        """What is known of them, for the record."""
        self.is_panicking = False
        """Whether all are used, because too few of them work."""
        self.version = 0
        """Another number after each change."""
        self.due = inf
        """When something changes by itself."""
        self.probe_due = inf
        """When an ejected one is to be tried again."""
        for name in self._names:
            self._listen(name)
        self.refresh(0.0)

    def refresh(self, at: float) -> None:
        """Something has changed: prepare the choices anew."""
        self.version += 1
        self.all = [endpoint for name in self._names for endpoint in name.endpoints]
        able = [endpoint for endpoint in self.all if endpoint.health.healthy is not False]
        working = [endpoint for endpoint in able if not endpoint.ejection.is_out]
        self.is_panicking = len(working) < self._panic * len(self.all)
        if self.is_panicking:
            able = working = self.all
        used = working or able
        self.usable = [each for each in used if at >= each.ejection.rest_until] or used
        self.weights = [each.weight * each.heat(at, self._slow_start) for each in self.usable]
        is_alone = len(self.all) == len(self.usable) == 1 and not self.is_panicking
        self.sole = self.usable[0] if is_alone else None
        self._share_slots(used)
        self.due = min((self._changes_at(endpoint, at) for endpoint in able), default=inf)
        self.probe_due = min((each.ejection.probe_at for each in able), default=inf)
        out = [endpoint for endpoint in self.all if endpoint not in self.usable]
        self.known = tuple(_known(each, at) for each in (out + self.usable)[:MOST_KNOWN])

    def tell(
        self, endpoint: Endpoint, kind: ChangeKind, reason: str, seconds: float | None = None
    ) -> None:
        """Say what became of one."""
        change = EndpointChange(endpoint.url, kind, reason, endpoint.address, seconds)
        self._on_change(change)

    def warm_up(self, endpoint: Endpoint, at: float) -> None:
        """It is new, or back in use: its slow start begins."""
        endpoint.warm_since = at

    def freeze(self) -> None:
        """Follow the DNS no more: what is under way goes by its last answer."""
        for name in self._names:
            name.addresses.freeze()

    def close(self) -> None:
        """Ask no DNS any more."""
        for name in self._names:
            name.addresses.close()

    def _listen(self, name: EndpointName) -> None:
        """To what the DNS says of a name."""
        name.addresses.on_answer = lambda found: self._found(name, found)
        name.addresses.on_failure = lambda words: self._dns_changed(name, words)

    def _found(self, name: EndpointName, found: Sequence[Address]) -> None:
        at, before = now(), list(name.endpoints)
        is_first = not name.is_known
        for endpoint in name.answered(found):
            endpoint.keeps_idle = False
            self.dismiss(endpoint)
        for endpoint in name.endpoints:
            if endpoint not in before and not is_first:
                self.warm_up(endpoint, at)
        self.refresh(at)

    def _dns_changed(self, name: EndpointName, words: str | None) -> None:
        if words is None:
            self._on_change(EndpointChange(name.url, "dns_found", "the name is found again"))
            return
        kept = "the last answer stays in use" if name.is_known else "it never had an address"
        self._on_change(EndpointChange(name.url, "dns_failed", f"{words}; {kept}"))

    def _share_slots(self, used: list[Endpoint]) -> None:
        """Each may have its part of the connections, so that one that hangs leaves the rest."""
        whole = sum(endpoint.weight for endpoint in self.all)
        in_use = sum(endpoint.weight for endpoint in used)
        for endpoint in self.all:
            endpoint.keeps_idle = not endpoint.ejection.is_out
            of = in_use if endpoint in used else whole
            endpoint.share = -(-self._size * endpoint.weight // of)

    def _changes_at(self, endpoint: Endpoint, at: float) -> float:
        """When it will be another without anybody saying so."""
        changes = inf
        if endpoint.ejection.rest_until > at:
            changes = endpoint.ejection.rest_until
        if endpoint.heat(at, self._slow_start) < 1.0:
            changes = min(changes, at + self._slow_start / _STEPS)
        return changes


def _known(endpoint: Endpoint, at: float) -> Known:
    """For the record; `until` is when it is tried again."""
    health, ejection = endpoint.health, endpoint.ejection
    if health.healthy is False:
        return Known(endpoint.url, endpoint.address, "down", health.reason, None)
    if ejection.is_out:
        return Known(endpoint.url, endpoint.address, "ejected", ejection.reason, ejection.until)
    if ejection.rest_until > at:
        words, until = ejection.rest_for, ejection.rest_until
        return Known(endpoint.url, endpoint.address, "resting", words, until)
    return Known(endpoint.url, endpoint.address, "usable", None, None)


def _nobody(_: Endpoint) -> None:
    """There are no connections yet."""
