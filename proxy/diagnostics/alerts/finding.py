"""What a rule finds, and how it reads where it was counted over several instances."""

from dataclasses import dataclass, replace
from typing import Final

from proxy.diagnostics.alerts.counts import SAMPLES
from proxy.diagnostics.alerts.fleet import OthersWindow
from proxy.diagnostics.alerts.rules import RuleName
from proxy.outcome import Level

NAMED: Final = 5
"""Instances that a summary names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is true; `subject` distinguishes what one rule may find several times."""

    rule: RuleName
    severity: Level
    summary: str
    value: float = 1.0
    threshold: float = 0.0
    window: float = 0.0
    """Seconds it looked back; 0 where it is about now."""
    subject: str = ""
    was: str = ""
    """The summary once it is over; empty where it tells of a past window anyway."""
    samples: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    """Who has had them, where it was judged over several."""


def of_all(finding: Finding, others: OthersWindow, counts: dict[str, int]) -> Finding:
    """The same finding, naming who had how many of it."""
    names = tuple(sorted(name for name, count in counts.items() if count))
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" * (len(names) > NAMED))
    samples = (*others.samples(finding.rule), *finding.samples)[:SAMPLES]
    return replace(
        finding, summary=f"{finding.summary} on {shown}", samples=samples, instances=names
    )
