"""The settings of everything that diagnostics keep."""

from dataclasses import dataclass

from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.stories.rules import StoreRule, StoriesRule


@dataclass(frozen=True, slots=True)
class DiagnosticsRules:
    """The settings of everything that diagnostics keep."""

    stories: StoriesRule
    store: StoreRule
    alerts: AlertsRule
    instance: str = ""
    """Name of this one among its replicas."""
    trace_link: str | None = None
    """`tracing.link`."""
    own_fields: tuple[str, ...] = ()
    """Names of the team's own fields of the record."""
