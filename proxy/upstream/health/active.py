"""What the health checks of an upstream mean for the choice among its endpoints.

An endpoint is used while no check has said that it is down; a row of good checks brings it back,
and ends whatever its traffic had shown before: it was out of order, and is not any more. One that
its checks call up stays ejected while its traffic fails: the checks ask for another page.
"""

from proxy.clock import now
from proxy.upstream.dialer import Dialer
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.health.check import Checker
from proxy.upstream.health.checks import HealthChecks
from proxy.upstream.health.tally import Tally
from proxy.upstream.health.view import EndpointView
from proxy.upstream.rules import UpstreamRule


class ActiveChecks:
    """Of the endpoints of one upstream; nothing is asked where its rule has no path."""

    def __init__(self, rule: UpstreamRule, endpoints: Endpoints, dialer: Dialer) -> None:
        self._endpoints = endpoints
        self._checks: HealthChecks | None = None
        if rule.health.is_on:
            checker = Checker(rule.health, dialer, rule.host)
            self._checks = HealthChecks(
                rule.health, lambda: endpoints.all, checker.check, self._changed
            )

    def start(self) -> None:
        """From now on. Needs the loop."""
        if self._checks is not None:
            self._checks.sync()

    def cancel(self) -> None:
        """Check nothing any more."""
        if self._checks is not None:
            self._checks.cancel()

    async def stop(self) -> None:
        if self._checks is not None:
            await self._checks.stop()

    def next_in(self, at: float) -> float | None:
        """Seconds to the next check of any endpoint; None where there is none."""
        return None if self._checks is None else self._checks.next_in(at)

    def views(self, at: float) -> list[EndpointView]:
        """How every endpoint stands."""
        return [self._view(endpoint, at) for endpoint in self._endpoints.all]

    def _view(self, endpoint: Endpoint, at: float) -> EndpointView:
        health, ejection = endpoint.health, endpoint.ejection
        url, address = endpoint.url, endpoint.address
        if health.healthy is False:
            due = self._checks.due(endpoint) if self._checks is not None else None
            return EndpointView(url, address, "down", health.reason, health.since, due)
        if ejection.is_out:
            return EndpointView(url, address, "ejected", ejection.reason, until=ejection.until)
        if ejection.rest_until > at:
            reason, until = ejection.rest_for, ejection.rest_until
            return EndpointView(url, address, "resting", reason, until=until)
        if self._checks is None:
            return EndpointView(url, address, "usable")
        tally = self._checks.tally(endpoint)
        words = tally.words if tally is not None and tally.reason is not None else None
        if health.healthy is None:
            return EndpointView(url, address, "unknown", words or "no check yet")
        failing = words if tally is not None and tally.failed else None
        return EndpointView(url, address, "up", failing, health.since)

    def _changed(self, endpoint: Endpoint, tally: Tally) -> None:
        at, was = now(), endpoint.health.healthy
        health = endpoint.health
        health.healthy, health.since = tally.healthy, at
        health.reason = None if tally.healthy else tally.words
        if not tally.healthy:
            self._endpoints.refresh(at)
            self._endpoints.dismiss(endpoint)
            if endpoint.is_up:  # else its traffic has said so already
                self._endpoints.tell(endpoint, "down", tally.words)
        elif was is False:
            self._recovered(endpoint, tally.words, at)

    def _recovered(self, endpoint: Endpoint, words: str, at: float) -> None:
        was_ejected = endpoint.ejection.is_out
        endpoint.is_up = True
        endpoint.ejection.end(at)
        self._endpoints.warm_up(endpoint, at)
        self._endpoints.refresh(at)
        self._endpoints.tell(endpoint, "up", words)
        if was_ejected:
            self._endpoints.tell(endpoint, "returned", words)
