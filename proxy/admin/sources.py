"""What the admin port needs to know of the rest; the application implements it."""

from collections.abc import Mapping
from typing import Protocol

from proxy.admin.health import HealthView
from proxy.observation.series import Snapshot


class AdminSources(Protocol):
    """Every method is called in the event loop and must be quick."""

    def ready(self) -> tuple[bool, str]:
        """Whether traffic is wanted now, and if not, why not."""

    def health(self) -> HealthView:
        """How things stand at this moment."""

    def summary(self) -> Mapping[str, object]:
        """The body of `/metrics.json`."""

    def snapshot(self) -> Snapshot:
        """The metrics at this moment."""

    def config(self) -> Mapping[str, object]:
        """The effective settings, secrets not yet redacted."""
