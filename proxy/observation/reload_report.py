"""What came of a reload: told by the answer of `POST /reload`, by events and by `/health`."""

from dataclasses import dataclass
from typing import Final, Literal

from proxy.clock import iso

TOLD: Final = 100
"""Entries of one list that are told; of further ones only the number."""

ReloadResult = Literal["loaded", "rejected", "refused"]


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """`rejected`: the new settings are wrong; `refused`: nobody looked at them."""

    result: ReloadResult
    cause: str
    """SIGHUP, POST /reload, watch or start."""
    config_hash: str
    """Of the settings that are in force now."""
    at: float = 0.0
    """Wall time."""
    changed: tuple[str, ...] = ()
    """Keys, without their values."""
    lost: tuple[str, ...] = ()
    """State that ended, a sentence each."""
    needs_restart: tuple[str, ...] = ()
    """Keys that were left as they were."""
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""
    """Why nobody looked."""

    def body(self) -> dict[str, object]:
        """As the JSON shows it."""
        return {
            "result": self.result,
            "cause": self.cause,
            "at": iso(self.at),
            "config_hash": self.config_hash,
            "changed": told(self.changed),
            "lost": told(self.lost),
            "needs_restart": list(self.needs_restart),
            "faults": told(self.faults),
            "warnings": told(self.warnings),
            "reason": self.reason,
        }


def told(entries: "list[str] | tuple[str, ...]") -> list[str]:
    """As many as are told, and how many more there are."""
    more = len(entries) - TOLD
    return [*entries[:TOLD], f"and {more} more"] if more > 0 else list(entries)
