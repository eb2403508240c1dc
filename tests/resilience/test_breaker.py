"""The breaker as a script of events.

A line is `time | what happens | what is seen`.
What happens: a signal (an attempt that is admitted and settled at once), `5*failure`, `a=ask` (ask
for a permit and keep it as `a`), `a:success` (settle it), `cool:9`, `open`, `close`, `look`.
What is seen: the answer to the last `ask`, every change of state with its cause, the state.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from proxy.resilience.breaker import Breaker
from proxy.resilience.opening import FailedAttempt, Opening
from proxy.resilience.permits import BreakerView, Permit, Refused, Transition
from proxy.resilience.probes import LOST_PROBE
from proxy.resilience.rules import BreakerRule

STEADY = {"jitter": 0.0, "consecutive": 3, "cool_down": 30.0}


class Stage:
    """One breaker, the permits it gave out by name, and what it told."""

    def __init__(self, **knobs: Any) -> None:
        self.told: list[Transition] = []
        rule = BreakerRule(**(STEADY | knobs))
        self.breaker = Breaker("chat", rule, self.told.append, rng=lambda: 0.0)
        self.permits: dict[str, Permit] = {}
        self.woken: list[str] = []

    def play(self, script: str) -> None:
        for line in script.strip().splitlines():
            time, acts, expected = (part.strip() for part in line.split("|"))
            seen = self.act_out(float(time), acts.split())

            assert f"{time} | {acts} | {seen}" == f"{time} | {acts} | {expected}"

    def act_out(self, now: float, acts: list[str]) -> str:
        already, answer = len(self.told), []
        for act in acts:
            times, act = act.split("*") if "*" in act else ("1", act)
            for _ in range(int(times)):
                answer = self.act(now, act) or answer
        changes = [f"{told.to} ({told.cause})" for told in self.told[already:]]
        woken, self.woken = [f"wakes {name}" for name in self.woken], []
        return ", ".join([*answer, *changes, *woken] or [self.breaker.state(now)])

    def act(self, now: float, act: str) -> list[str]:
        breaker = self.breaker
        match re.split("([:=])", act):
            case [name, "=", "ask" | "upload" as kind]:
                return [self.ask(now, name, is_sent=kind == "ask")]
            case [name, ":", "sent"]:
                return [self.complete(now, name)]
            case ["cool", ":", seconds]:
                breaker.cool(None if seconds == "?" else float(seconds), now)
            case [name, ":", signal]:
                breaker.settle(self.permits[name], signal, now)
            case ["look"]:
                breaker.view(now)
            case ["open" | "close" as by_hand]:
                getattr(breaker, by_hand)(now)
            case [signal]:
                permit = breaker.admit(now)
                assert isinstance(permit, Permit), f"{now}: {permit}"
                breaker.settle(permit, signal, now)
        return []

    def ask(self, now: float, name: str, *, is_sent: bool) -> str:
        match self.breaker.admit(now, is_sent=is_sent):
            case Refused(outcome, retry_in):
                return f"{outcome.code} {retry_in:g}"
            case permit:
                self.permits[name] = permit
                return "admitted"

    def complete(self, now: float, name: str) -> str:
        permit = self.permits[name]
        permit.wake = lambda: self.woken.append(name)
        match self.breaker.complete(permit, now):
            case Refused(outcome, retry_in):
                return f"{outcome.code} {retry_in:g}"
            case may:
                return "whole" if may else "waits"


SCENES = {
    "failures in a row open the circuit": """
        0  | 2*failure                   | closed
        1  | failure                     | open (consecutive)
        2  | a=ask                       | circuit_open 29
    """,
    "a success ends the row": """
        0  | 2*failure success 2*failure | closed
        1  | failure                     | open (consecutive)
    """,
    "a 500 neither lengthens nor ends the row": """
        0  | 2*failure 3*ratio           | closed
        1  | failure                     | open (consecutive)
    """,
    "what taught us nothing counts nowhere": """
        0  | 2*failure 50*neutral        | closed
        1  | failure                     | open (consecutive)
    """,
    "one user's 500s among good answers open nothing": """
        0  | 60*success                  | closed
        1  | 50*ratio                    | closed
    """,
    "half of the attempts failed": """
        0  | 5*success 4*ratio           | closed
        1  | ratio                       | open (ratio)
    """,
    "failures in turn with successes show in the ratio": """
        0  | failure success failure success failure success failure success | closed
        1  | failure success             | closed
        2  | failure                     | open (ratio)
    """,
    "too few attempts say nothing": """
        0  | 9*ratio                     | closed
        1  | ratio                       | open (ratio)
    """,
    "the ratio forgets what is older than the window": """
        0  | 9*ratio                     | closed
        31 | 9*ratio                     | closed
        32 | ratio                       | open (ratio)
    """,
    "nothing counted before it closed again counts afterwards": """
        0  | 9*ratio failure             | open (ratio)
        30 | success                     | half_open (cooled_down), closed (probe_succeeded)
        31 | 2*failure                   | closed
        31 | failure                     | open (consecutive)
    """,
    "exactly one probe at a time": """
        0  | 3*failure                   | open (consecutive)
        29 | a=ask                       | circuit_open 1
        30 | a=ask                       | admitted, half_open (cooled_down)
        30 | b=ask                       | circuit_open 1
        39 | c=ask                       | circuit_open 1
        40 | a:success                   | closed (probe_succeeded)
        40 | d=ask e=ask                 | admitted
    """,
    "a probe that fails doubles the cool-down": """
        0  | 3*failure                   | open (consecutive)
        30 | failure                     | half_open (cooled_down), open (probe_failed)
        31 | a=ask                       | circuit_open 59
        90 | failure                     | half_open (cooled_down), open (probe_failed)
        91 | a=ask                       | circuit_open 119
    """,
    "the cool-down stops growing at its cap": """
        0   | 3*failure                  | open (consecutive)
        30  | failure                    | half_open (cooled_down), open (probe_failed)
        90  | failure                    | half_open (cooled_down), open (probe_failed)
        210 | failure                    | half_open (cooled_down), open (probe_failed)
        450 | failure                    | half_open (cooled_down), open (probe_failed)
        451 | a=ask                      | circuit_open 299
    """,
    "a probe that succeeds makes the next cool-down short again": """
        0  | 3*failure                   | open (consecutive)
        30 | failure                     | half_open (cooled_down), open (probe_failed)
        90 | success                     | half_open (cooled_down), closed (probe_succeeded)
        91 | 3*failure                   | open (consecutive)
        92 | a=ask                       | circuit_open 29
    """,
    "a 500 of the probe opens again": """
        0  | 3*failure                   | open (consecutive)
        30 | ratio                       | half_open (cooled_down), open (probe_failed)
    """,
    "a probe that taught nothing lets the next attempt probe": """
        0  | 3*failure                   | open (consecutive)
        30 | a=ask                       | admitted, half_open (cooled_down)
        31 | a:neutral                   | half_open
        32 | b=ask                       | admitted
        32 | c=ask                       | circuit_open 1
        33 | b:success                   | closed (probe_succeeded)
    """,
    "a probe settled early is not settled again when its body breaks": """
        0  | 3*failure                   | open (consecutive)
        30 | a=ask                       | admitted, half_open (cooled_down)
        31 | a:success                   | closed (probe_succeeded)
        40 | 2*failure a:failure         | closed
    """,
    "a second settlement changes nothing": """
        0  | a=ask                       | admitted
        1  | a:failure a:failure a:failure | closed
        2  | 2*failure                   | open (consecutive)
    """,
    "stragglers from before a change are ignored": """
        0  | a=ask b=ask c=ask d=ask     | admitted
        1  | 3*failure                   | open (consecutive)
        2  | a:failure b:success         | open
        31 | p=ask                       | admitted, half_open (cooled_down)
        31 | c:failure d:success         | half_open
        31 | q=ask                       | circuit_open 1
        32 | p:success                   | closed (probe_succeeded)
    """,
    "a probe of an earlier half-open is a straggler too": """
        0  | 3*failure                   | open (consecutive)
        30 | a=ask                       | admitted, half_open (cooled_down)
        31 | open                        | open (manual)
        91 | b=ask                       | admitted, half_open (cooled_down)
        92 | a:success                   | half_open
        93 | b:failure                   | open (probe_failed)
    """,
    "an upload keeps nobody else from probing": """
        0    | 3*failure                 | open (consecutive)
        30   | a=upload                  | admitted, half_open (cooled_down)
        30   | b=ask                     | admitted
        30   | c=ask                     | circuit_open 1
        31   | b:success                 | closed (probe_succeeded)
        32   | a:failure                 | closed
    """,
    "an upload that is whole is a probe like any other": """
        0    | 3*failure                 | open (consecutive)
        30   | a=upload a:sent           | whole, half_open (cooled_down)
        39   | b=ask                     | circuit_open 1
        39   | c=upload                  | circuit_open 1
        40   | a:success                 | closed (probe_succeeded)
    """,
    "an upload becomes whole when no other whole probe is out": """
        0    | 3*failure                 | open (consecutive)
        30   | a=upload                  | admitted, half_open (cooled_down)
        31   | b=upload                  | admitted
        32   | c=ask                     | admitted
        33   | a:sent                    | waits
        33   | b:sent                    | waits
        34   | c:neutral                 | wakes a, wakes b
        34   | b:sent                    | whole
        34   | a:sent                    | waits
        35   | b:success                 | closed (probe_succeeded), wakes a
        36   | a:sent                    | whole
        37   | a:failure                 | closed
    """,
    "an upload whose circuit opened meanwhile is refused": """
        0    | 3*failure                 | open (consecutive)
        30   | a=upload b=ask            | admitted, half_open (cooled_down)
        31   | a:sent                    | waits
        32   | b:failure                 | open (probe_failed), wakes a
        32   | a:sent                    | circuit_open 60
    """,
    "an upload of an earlier half-open is a probe of the present one": """
        0    | 3*failure                 | open (consecutive)
        30   | a=upload b=upload         | circuit_open 1, half_open (cooled_down)
        31   | b=ask                     | admitted
        32   | b:failure                 | open (probe_failed)
        92   | c=ask                     | admitted, half_open (cooled_down)
        93   | a:sent                    | waits
        94   | c:neutral                 | wakes a
        94   | a:sent                    | whole
        94   | d=ask                     | circuit_open 1
        95   | a:success                 | closed (probe_succeeded)
    """,
    "an upload that began while it was closed asks nobody": """
        0    | a=upload                  | admitted
        1    | 3*failure                 | open (consecutive)
        2    | a:sent                    | whole
    """,
    "one upload a second may probe": """
        0    | 3*failure                 | open (consecutive)
        30   | a=upload                  | admitted, half_open (cooled_down)
        30.5 | b=upload                  | circuit_open 1
        31   | b=upload                  | admitted
        31   | b:neutral c=upload        | admitted
        32   | a:sent                    | whole
        32   | d=ask                     | circuit_open 1
        33   | c:failure                 | open (probe_failed)
    """,
    "a lost probe is given up, and late news of it ignored": f"""
        0    | 3*failure                 | open (consecutive)
        30   | a=ask                     | admitted, half_open (cooled_down)
        {30 + LOST_PROBE - 1} | b=ask    | circuit_open 1
        {30 + LOST_PROBE} | b=ask        | admitted
        {30 + LOST_PROBE} | a:success    | half_open
        {30 + LOST_PROBE} | c=ask        | circuit_open 1
        {31 + LOST_PROBE} | b:success    | closed (probe_succeeded)
    """,
    "to look at it once the cool-down is over makes it half-open": """
        0  | 3*failure                   | open (consecutive)
        29 | look                        | open
        30 | look                        | half_open (cooled_down)
        99 | a=ask                       | admitted
    """,
    "a rest is kept, longest first, and is no open circuit": """
        0  | 2*failure cool:20 cool:10   | closed
        5  | a=ask                       | upstream_cooling_down 15
        20 | failure                     | open (consecutive)
    """,
    "a rest without a length is as long as a cool-down": """
        0  | cool:?                      | closed
        1  | a=ask                       | upstream_cooling_down 29
    """,
    "nobody is told to rest for ever": """
        0  | cool:1e18                   | closed
        1  | a=ask                       | upstream_cooling_down 299
    """,
    "a probe waits for the end of a rest": """
        0  | 3*failure cool:40           | open (consecutive)
        10 | a=ask                       | circuit_open 20
        30 | a=ask                       | upstream_cooling_down 10, half_open (cooled_down)
        40 | a=ask                       | admitted
    """,
    "opened and closed by hand": """
        0  | 2*failure open              | open (manual)
        1  | a=ask                       | circuit_open 29
        2  | close                       | closed (manual)
        3  | 2*failure                   | closed
    """,
    "closing by hand forgets the window": """
        0  | 9*ratio failure             | open (ratio)
        1  | close                       | closed (manual)
        1  | 2*failure                   | closed
    """,
    "closing by hand ends a rest": """
        0  | cool:20 close               | closed (manual)
        1  | a=ask                       | admitted
    """,
}


@pytest.mark.parametrize("scene", SCENES)
def test_scene(scene: str) -> None:
    Stage(cool_down_on_429=True).play(SCENES[scene])


def test_without_a_breaker_every_attempt_is_admitted() -> None:
    stage = Stage(enabled=False, cool_down_on_429=True)

    stage.play("""
        0 | 20*failure 20*ratio | closed
        1 | cool:60 a=ask       | admitted
    """)
    assert stage.breaker.view(1.0).failure_count == 0


def test_a_429_stops_nothing_unless_the_rule_says_so() -> None:
    Stage().play("0 | cool:60 a=ask | admitted")


def test_a_transition_says_what_happened() -> None:
    stage = Stage()
    stage.play("""
        7  | 3*failure | open (consecutive)
        40 | success   | half_open (cooled_down), closed (probe_succeeded)
    """)

    assert stage.told == [
        Transition("chat", "open", "consecutive", 30.0, 7.0, Opening("consecutive", 7.0)),
        Transition("chat", "half_open", "cooled_down", 0.0, 40.0),
        Transition("chat", "closed", "probe_succeeded", 0.0, 40.0),
    ]


def test_a_transition_is_told_when_it_is_complete() -> None:
    """Who is told of it and looks at once sees the new state."""
    seen = []
    breaker = Breaker(
        "chat", BreakerRule(consecutive=1), lambda t: seen.append(breaker.state(t.at))
    )
    breaker.settle(breaker.admit(0.0), "failure", 0.0)
    breaker.settle(breaker.admit(99.0), "success", 99.0)

    assert seen == ["open", "half_open", "closed"]


@pytest.mark.parametrize(
    ("script", "view"),
    [
        pytest.param("0 | look | closed", BreakerView("closed", 0, 0, None, 0.0), id="at first"),
        pytest.param(
            "0 | 4*success ratio failure neutral | closed",
            BreakerView("closed", 2, 4, None, 0.0),
            id="closed: the attempts of the window",
        ),
        pytest.param(
            "0 | 2*success cool:60 | closed",
            BreakerView("closed", 0, 2, None, 50.0),
            id="closed, but the upstream asked for a rest",
        ),
        pytest.param(
            "0 | 2*success 3*failure | open (consecutive)",
            BreakerView("open", 3, 2, 0.0, 20.0),
            id="open: the attempts that opened it",
        ),
        pytest.param(
            "0 | 3*failure close | open (consecutive), closed (manual)",
            BreakerView("closed", 0, 0, None, 0.0),
            id="closed again: as at first",
        ),
    ],
)
def test_what_health_is_told(script: str, view: BreakerView) -> None:
    stage = Stage(cool_down_on_429=True)
    stage.play(script)

    assert stage.breaker.view(10.0) == view


def test_health_still_knows_why_long_after() -> None:
    stage = Stage()
    stage.play("""
        0  | 2*success 3*failure | open (consecutive)
        30 | failure             | half_open (cooled_down), open (probe_failed)
    """)

    assert stage.breaker.view(85.0) == BreakerView("open", 3, 2, 30.0, 5.0)
    assert stage.breaker.view(90.0) == BreakerView("half_open", 3, 2, 30.0, 0.0)


def test_cool_downs_are_spread() -> None:
    draws: Iterator[float] = iter((0.0, 1.0))
    rule = BreakerRule(consecutive=1)
    breaker = Breaker("chat", rule, lambda _: None, rng=lambda: next(draws))
    breaker.settle(breaker.admit(0.0), "failure", 0.0)
    early = breaker.view(0.0).retry_in
    breaker.settle(breaker.admit(early), "failure", early)

    assert (early, breaker.view(early).retry_in) == (22.5, 75.0)


@pytest.mark.parametrize(
    "knobs",
    [
        {"consecutive": 0},
        {"failure_ratio": 0},
        {"failure_ratio": 1.1},
        {"min_attempts": 0},
        {"window": "0s"},
        {"cool_down": "0s"},
        {"cool_down": "10m"},
        {"max_cool_down": "1s"},
    ],
    ids=str,
)
def test_a_rule_that_makes_no_sense_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BreakerRule(**knobs)


def failed(name: str, at: float, code: str = "upstream_reset") -> FailedAttempt:
    return FailedAttempt(name, code, None, "http://a:1", at)


def fail(breaker: Breaker, name: str, at: float, signal: str = "failure") -> None:
    breaker.settle(breaker.admit(at), signal, at, failed(name, at))


def opened_by(breaker: Breaker) -> tuple[str, float, list[str]]:
    opening = breaker.opening
    return opening.rule, opening.at, [each.request_id for each in opening.failures]


def test_a_circuit_says_which_failures_in_a_row_opened_it() -> None:
    breaker = Stage(consecutive=3).breaker
    for at, name in enumerate("ab"):
        fail(breaker, name, float(at))
    breaker.settle(breaker.admit(2.0), "success", 2.0)
    for at, name in enumerate("cde", 3):
        fail(breaker, name, float(at))

    assert ("consecutive", 5.0, ["c", "d", "e"]) == opened_by(breaker)


def test_a_circuit_opened_by_its_ratio_names_the_latest_five_of_the_window() -> None:
    stage = Stage(consecutive=99, min_attempts=8, window=30.0)
    for at, name in enumerate("abcdefgh", 100):
        fail(stage.breaker, name, float(at), "ratio")

    assert ("ratio", 107.0, ["d", "e", "f", "g", "h"]) == opened_by(stage.breaker)
    assert stage.told[0].opening == stage.breaker.opening


def test_a_probe_that_failed_is_what_opened_it_again() -> None:
    breaker = Stage(consecutive=1).breaker
    fail(breaker, "a", 1.0)
    fail(breaker, "probe", 50.0)

    assert ("probe_failed", 50.0, ["probe"]) == opened_by(breaker)


def test_by_hand_no_failure_opened_it_and_a_closed_one_says_nothing() -> None:
    breaker = Stage(consecutive=2).breaker
    fail(breaker, "a", 1.0)
    breaker.open(2.0)

    assert ("manual", 2.0, []) == opened_by(breaker)
    breaker.close(3.0)
    assert breaker.opening is None
    fail(breaker, "b", 4.0)
    fail(breaker, "c", 5.0)
    assert ["b", "c"] == opened_by(breaker)[2]


@pytest.mark.parametrize(
    ("failures", "then", "refuses"),
    [
        pytest.param(0, 2.0, False, id="closed"),
        pytest.param(3, 30.9, True, id="open"),
        pytest.param(3, 31.0, False, id="open, but cooled down till then"),
    ],
)
def test_whether_an_attempt_will_be_refused(failures: int, then: float, refuses: bool) -> None:
    stage = Stage()
    stage.act_out(1.0, ["failure"] * failures)

    assert refuses == stage.breaker.will_refuse(then)


def test_a_rest_that_was_asked_for_refuses_too() -> None:
    stage = Stage(cool_down_on_429=True)
    stage.breaker.cool(5.0, 1.0)

    assert (True, False) == (stage.breaker.will_refuse(5.9), stage.breaker.will_refuse(6.0))


def test_without_a_breaker_nothing_is_refused() -> None:
    stage = Stage(enabled=False, cool_down_on_429=True)

    assert not stage.breaker.will_refuse(0.0)
