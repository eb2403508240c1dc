"""`check --diff OLD NEW`: what a reload from one file to the other would do, for people and CI.

Exit codes: 0 the same, 1 they differ, 2 one of them is wrong.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from proxy.settings.difference import Change, changes
from proxy.settings.faults import SettingsError
from proxy.settings.load import load
from proxy.settings.restart import awaiting_restart
from proxy.settings.schema import Settings
from proxy.settings.survival import lost

SAME: Final = 0
CHANGES: Final = 1
FAULTS: Final = 2


def compare(old: Path, new: Path, *, as_json: bool) -> int:
    """Print how the two differ, the environment laid over both; the exit code."""
    found, faults = _loaded((old, new))
    if faults:
        return _tell({"result": "faults", "faults": faults}, "\n".join(faults), FAULTS, as_json)
    before, after = found
    differing = changes(before, after)
    result = "changes" if differing else "same"
    at_start = awaiting_restart(before, after)
    ends = lost(before, after)
    body = {
        "result": result,
        "changes": [_plain(change) for change in differing],
        "lost": ends,
        "needs_restart": list(at_start),
        "old_hash": before.config_hash,
        "new_hash": after.config_hash,
    }
    told = [
        *_section("changes", differing),
        *_section("ends with the reload", ends),
        *_section("needs a restart, a reload leaves it", at_start),
    ]
    return _tell(body, "\n".join(told) or "the same", CHANGES if differing else SAME, as_json)


def _loaded(paths: Iterable[Path]) -> tuple[list[Settings], list[str]]:
    """The settings of all files, and the faults of those that have any."""
    found: list[Settings] = []
    faults: list[str] = []
    for path in paths:
        try:
            found.append(load(path, os.environ))
        except SettingsError as error:
            faults += map(str, error.faults)
    return found, list(dict.fromkeys(faults))


def _plain(change: Change) -> dict[str, object]:
    return {"key": change.key, "before": change.before, "after": change.after}


def _section(title: str, entries: Iterable[object]) -> list[str]:
    lines = [f"  {entry}" for entry in entries]
    return [f"{title}:", *lines] if lines else []


def _tell(body: Mapping[str, object], text: str, code: int, as_json: bool) -> int:
    sys.stdout.write(f"{json.dumps(body, indent=2) if as_json else text}\n")
    return code
