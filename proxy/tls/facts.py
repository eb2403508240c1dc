"""How a certificate and its files stand, as health, metrics and alerts tell it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proxy.clock import iso
from proxy.outcome import Level

SayEvent = Callable[[str, Level, Mapping[str, object]], None]
"""Writes an event to the log: its name, its level, its fields."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """`name` is where the settings name the files: `listen`, `admin`, `upstreams.chat`."""

    name: str
    expires: float | None = None
    """Seconds since 1970; None where there is no certificate of ours."""
    rejected: str | None = None
    """Why the files on disk are not in force; None where they are."""

    def body(self, at: float) -> dict[str, object]:
        """As `/health` shows it; `at` is in seconds since 1970."""
        ends = self.expires
        return {
            "expires_at": None if ends is None else iso(ends),
            "expires_in_seconds": None if ends is None else round(ends - at),
            "rejected": self.rejected,
        }
