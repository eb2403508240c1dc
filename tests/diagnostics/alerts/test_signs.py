"""What is said of a state, while it holds and afterwards."""

import re
from typing import get_args

import pytest

from proxy.diagnostics.alerts.conditions import COUNTED, LOST, SHARES, TAILS
from proxy.diagnostics.alerts.rules import RuleName
from proxy.diagnostics.alerts.signs import SEVERITY, STANDING, sign

NOW = re.compile(r"\b(is|are|has|have|wait|cannot|remain|expires)\b")


def test_every_rule_is_about_a_state_or_about_counts() -> None:
    assert set(get_args(RuleName)) == {*STANDING, *COUNTED, *SHARES, *TAILS, *LOST}
    assert set(get_args(RuleName)) == set(SEVERITY)


@pytest.mark.parametrize("rule", STANDING)
def test_what_is_over_is_never_said_to_hold(rule: RuleName) -> None:
    finding = sign(rule, "chat", "chat", "http://b", "3 checks failed")

    assert not NOW.search(finding.was), finding.was
    assert finding.summary != finding.was


def test_the_words_name_the_subject_or_what_is_said_of_it() -> None:
    assert sign("breaker_open", "chat").summary == "the circuit of the route chat is open"
    down = sign("endpoint_down", "chat http://b", "chat", "http://b", "3 checks failed")

    assert down.summary == "the endpoint http://b of chat is down: 3 checks failed"
    assert down.was == "the endpoint http://b of chat was down: 3 checks failed"


def test_braces_in_a_name_are_no_placeholders() -> None:
    assert "{0}" in sign("breaker_open", "{0}").summary
