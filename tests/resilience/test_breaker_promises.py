"""What the breaker promises whatever happens, in any order of events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from proxy.resilience.breaker import Breaker
from proxy.resilience.permits import Permit, Refused, Transition
from proxy.resilience.rules import BreakerRule

LEGAL = {
    ("closed", "open", "consecutive"),
    ("closed", "open", "ratio"),
    ("open", "half_open", "cooled_down"),
    ("half_open", "open", "probe_failed"),
    ("half_open", "closed", "probe_succeeded"),
}
SIGNALS = st.sampled_from(["success", "failure", "ratio", "neutral"])


class Promises(RuleBasedStateMachine):
    """Knows of the breaker only what it answers and tells."""

    out = Bundle("out")
    """Permits not settled yet, with the number of changes told before."""
    used = Bundle("used")
    """Permits that were settled before."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.told: list[Transition] = []
        self.whole: list[Permit] = []
        """Probes of the present half-open that the upstream has whole."""
        self.row = 0

    @initialize(rng=st.randoms(use_true_random=False))
    def begin(self, rng) -> None:
        knobs = BreakerRule(consecutive=3, min_attempts=4, max_cool_down=100.0)
        self.breaker = Breaker("chat", knobs, self.hear, rng.random)

    def hear(self, told: Transition) -> None:
        before = self.told[-1].to if self.told else "closed"
        assert (before, told.to, told.cause) in LEGAL
        self.told.append(told)
        self.whole, self.row = [], 0

    @rule(seconds=st.sampled_from([0.0, 0.5, 5.0, 40.0, 130.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(target=out, is_sent=st.booleans())
    def ask(self, is_sent: bool):
        match self.breaker.admit(self.now, is_sent=is_sent):
            case Refused(_, retry_in):
                assert retry_in > 0
                assert self.breaker.state(self.now) != "closed"
                return multiple()
            case permit:
                state = self.breaker.state(self.now)
                assert state != "open"
                if state == "half_open" and is_sent:
                    self.whole.append(permit)
                return permit, len(self.told)

    @rule(target=out, held=consumes(out))
    def complete(self, held: tuple[Permit, int]):
        permit, era = held
        asks = not permit.is_sent and permit.at > 0
        may = self.breaker.complete(permit, self.now)
        state = self.breaker.state(self.now)
        if asks and state == "half_open":
            assert may is not bool(self.whole)
            era = len(self.told)
            if may is True:
                self.whole.append(permit)
        elif asks and state == "open":
            assert isinstance(may, Refused)
        else:
            assert may is True
        return permit, era

    @rule(target=used, held=consumes(out), signal=SIGNALS)
    def settle(self, held: tuple[Permit, int], signal: str) -> Permit:
        permit, era = held
        stale, before = era != len(self.told), self.seen()
        if not stale:
            self.whole = [one for one in self.whole if one is not permit]
            self.row = {"success": 0, "failure": self.row + 1}.get(signal, self.row)
        tells = len(self.told)
        self.breaker.settle(permit, signal, self.now)
        if stale:
            assert self.seen() == before
        assert self.row < 3 or len(self.told) > tells, "three failures in a row and no change"
        return permit

    @rule(permit=used, signal=SIGNALS)
    def settle_once_more(self, permit: Permit, signal: str) -> None:
        before = self.seen()
        self.breaker.settle(permit, signal, self.now)
        assert self.seen() == before

    @invariant()
    def at_most_one_whole_probe_is_out(self) -> None:
        assert len(self.whole) <= 1

    @invariant()
    def the_cool_down_is_kept(self) -> None:
        last = self.told[-1] if self.told else None
        if last and last.to == "open" and self.now < last.at + last.cool_down:
            assert isinstance(self.breaker.admit(self.now), Refused)

    @invariant()
    def the_cool_down_has_its_bounds(self) -> None:
        opened = [told.cool_down for told in self.told if told.to == "open"]
        assert all(22.5 <= cool_down <= 100.0 for cool_down in opened)

    def seen(self) -> tuple[object, int]:
        return self.breaker.view(self.now), len(self.told)


Promises.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, database=None
)
TestPromises = Promises.TestCase
