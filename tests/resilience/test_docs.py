"""The page on resilience tells the truth about defaults and reasons."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from proxy.knobs import Knobs, seconds, size
from proxy.outcome import NotRetried
from proxy.resilience.permits import TransitionCause
from proxy.resilience.rules import BreakerRule, BudgetRule, RetryRule

PAGE = (Path(__file__).parents[2] / "docs" / "resilience.md").read_text(encoding="utf-8")


def told(trade: str) -> dict[str, str]:
    """Knob and default as the table of `trade` gives them."""
    table = PAGE.split(f"| `{trade}` | default |")[1].split("\n\n")[0]
    return dict(re.findall(r"^\| `([a-z0-9_.]+)` \| (.*?) \|", table, re.MULTILINE))


def flat(knobs: Knobs, prefix: str = "") -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for name in type(knobs).model_fields:
        value = getattr(knobs, name)
        inner = flat(value, f"{prefix}{name}.") if isinstance(value, Knobs) else None
        defaults |= inner or {prefix + name: value}
    return defaults


def means(text: str, value: object) -> bool:
    match value:
        case bool():
            return text == str(value).lower()
        case tuple():
            return text == ", ".join(map(str, value))
        case str():
            return text == value
        case _ if text[-1].isdigit():
            return float(text) == value
        case _:
            return value == (size(text) if text.endswith("B") else seconds(text))


@pytest.mark.parametrize(("trade", "rule"), [("retry", RetryRule()), ("breaker", BreakerRule())])
def test_the_table_of_defaults_is_whole_and_true(trade: str, rule: Knobs) -> None:
    defaults = flat(rule)

    assert list(told(trade)) == list(defaults)
    assert [name for name, text in told(trade).items() if not means(text, defaults[name])] == []


@pytest.mark.parametrize("rule", [RetryRule, BudgetRule, BreakerRule])
def test_every_knob_is_documented_at_its_field(rule: type[Knobs]) -> None:
    assert [name for name, field in rule.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("word", [*get_args(NotRetried), *get_args(TransitionCause)])
def test_every_reason_and_cause_is_on_the_page(word: str) -> None:
    assert re.search(rf"\b{word}\b", PAGE)
