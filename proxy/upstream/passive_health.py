"""What attempts teach about their endpoints: which is ejected, which comes back.

Failures of clients teach nothing. Where there is but one endpoint it is never ejected, and nothing
of this is done for its attempts.
"""

from proxy.exchange import Exchange
from proxy.outcome import UPSTREAM_ERROR, Signal
from proxy.upstream.balancing.ejection import may_eject
from proxy.upstream.choice import Choice
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.rules import EjectionRule

DOWN_FOR = 5.0
"""Seconds for which an endpoint that could not be reached is left alone, if there is another."""

_BUSY = 503


class PassiveHealth:
    """Of the endpoints of one upstream."""

    def __init__(self, endpoints: Endpoints, rule: EjectionRule) -> None:
        self._endpoints = endpoints
        self._rule = rule

    def connected(self, endpoint: Endpoint, now: float) -> None:
        """It could be reached."""
        if not endpoint.is_up:
            endpoint.is_up = True
            endpoint.ejection.rest_until = 0.0
            self._endpoints.refresh(now)
            if endpoint.health.healthy is not False:
                self._endpoints.tell(endpoint, "up", "connected")

    def unreachable(self, endpoint: Endpoint, reason: str, now: float) -> None:
        """It could not."""
        endpoint.ejection.rest(DOWN_FOR, reason, now)
        self._endpoints.refresh(now)
        if endpoint.is_up:
            endpoint.is_up = False
            if endpoint.health.healthy is not False:
                self._endpoints.tell(endpoint, "down", reason, DOWN_FOR)

    def rest(self, choice: Choice | None, status: int, seconds: float | None, now: float) -> None:
        """The answer asks to be left alone for so long; one of 429 speaks of one user only."""
        if seconds and status == _BUSY and choice is not None and choice.endpoint is not None:
            choice.endpoint.ejection.rest(seconds, f"it asked for {seconds:g} s of rest", now)
            self._endpoints.refresh(now)

    def answered(self, choice: Choice, now: float) -> None:
        """An answer that is no failure goes to the client."""
        if choice.endpoint is None:
            return
        choice.endpoint.ejection.answered(now)
        if choice.is_probe:
            self._return(choice.endpoint, now)
            choice.is_probe = False

    def untried(self, choice: Choice, now: float) -> None:
        """There was no connection to be had: nothing is known of the endpoint."""
        self.settled(choice, "neutral", "", now, had_answer=False)

    def ended(self, choice: Choice, signal: Signal, x: Exchange, now: float) -> Signal:
        """The last attempt of `x` is over. What that says of the upstream as a whole."""
        tried = x.attempts[-1] if x.attempts else None
        outcome = (tried.outcome if tried else None) or x.outcome or UPSTREAM_ERROR
        status = x.upstream_status
        had_answer = status is not None and status < 500  # then it went to the client
        return self.settled(choice, signal, outcome.code, now, had_answer=had_answer)

    def settled(
        self, choice: Choice, signal: Signal, code: str, now: float, *, had_answer: bool
    ) -> Signal:
        """The attempt is over; `had_answer`: its answer had begun to go to the client.

        What it says of the upstream as a whole: nothing where it failed at one endpoint while
        another works, or one bad endpoint would open the circuit of all.
        """
        endpoint, choice.endpoint = choice.endpoint, None
        if endpoint is None:
            return signal
        self._learn(endpoint, choice, signal, code, now, had_answer=had_answer)
        if signal in ("success", "neutral"):
            return signal
        others = (each for each in self._endpoints.usable if each is not endpoint)
        return "neutral" if any(each.ejection.works(now) for each in others) else signal

    def _learn(
        self,
        endpoint: Endpoint,
        choice: Choice,
        signal: Signal,
        code: str,
        now: float,
        *,
        had_answer: bool,
    ) -> None:
        ejection = endpoint.ejection
        if choice.is_probe:
            choice.is_probe = False
            self._probed(endpoint, signal, code, now)
        elif ejection.is_out:
            return  # begun before it was ejected, or because there was nothing better
        elif signal == "success":
            ejection.completed(now)
        elif signal != "neutral":
            count = ejection.failed(code, had_answer=had_answer)
            if count >= self._rule.failures and self._may_eject(endpoint, now):
                self._eject(endpoint, code, now)

    def _may_eject(self, endpoint: Endpoint, now: float) -> bool:
        everyone = self._endpoints.all
        out = sum(each.ejection.is_out for each in everyone)
        left = sum(each.is_available(now) for each in everyone if each is not endpoint)
        return may_eject(out, len(everyone), left, self._rule.at_most)

    def _eject(self, endpoint: Endpoint, code: str, now: float) -> None:
        reason = f"{self._rule.failures} failures in a row, the last one {code}"
        seconds = endpoint.ejection.eject(self._rule.time, reason, now)
        self._gone(endpoint, reason, seconds, now)

    def _probed(self, endpoint: Endpoint, signal: Signal, code: str, now: float) -> None:
        if signal == "success":
            self._return(endpoint, now)
        elif signal == "neutral":
            endpoint.ejection.probe_ended()
            self._endpoints.refresh(now)
        else:
            reason = f"the probe failed: {code}"
            self._gone(endpoint, reason, endpoint.ejection.probe_failed(reason, now), now)

    def _gone(self, endpoint: Endpoint, reason: str, seconds: float, now: float) -> None:
        self._endpoints.refresh(now)
        self._endpoints.dismiss(endpoint)
        self._endpoints.tell(endpoint, "ejected", reason, seconds)

    def _return(self, endpoint: Endpoint, now: float) -> None:
        endpoint.ejection.end(now)
        self._endpoints.warm_up(endpoint, now)
        self._endpoints.refresh(now)
        self._endpoints.tell(endpoint, "returned", "its probe was answered")
