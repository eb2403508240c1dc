"""`check FILE`: everything that is wrong. `check --diff OLD NEW`: what a reload would do.

Exit codes: 0 good, or the same; 1 they differ; 2 one of them is wrong.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from proxy.settings.difference import Change, changes
from proxy.settings.faults import SettingsError
from proxy.settings.load import load
from proxy.settings.restart import awaiting_restart
from proxy.settings.schema import Settings
from proxy.settings.survival import lost_state

SAME: Final = 0
CHANGES: Final = 1
FAULTS: Final = 2


def add_check(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes a parser for a command."""
    parser = add(
        "check",
        help="say everything that is wrong with a settings file, or what a change would do",
        description="Check settings, or compare two of them (exit code 0: the same, 1: they "
        "differ, 2: one of them is wrong).",
    )
    checked = parser.add_mutually_exclusive_group(required=True)
    checked.add_argument("file", type=Path, nargs="?", help="settings file (YAML)")
    checked.add_argument(
        "--diff", type=Path, nargs=2, metavar=("OLD", "NEW"),
        help="say what would change, what state would end, and what needs a restart",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="with --diff: say it as JSON")
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    """Raises SettingsError where one file is asked for and has faults."""
    if options.diff:
        return compare(*options.diff, as_json=options.json)
    settings = load(options.file, os.environ)
    for warning in settings.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    count = len(settings.routes)
    routes = f"{count} route{'s' if count != 1 else ''}"
    sys.stdout.write(f"{options.file}: ok, {routes}, config {settings.config_hash}\n")
    return 0


def compare(old: Path, new: Path, *, as_json: bool) -> int:
    """Print how the two differ, the environment laid over both; the exit code."""
    found, faults = _loaded((old, new))
    if faults:
        return _tell({"result": "faults", "faults": faults}, "\n".join(faults), FAULTS, as_json)
    before, after = found
    differing = changes(before, after)
    result = "changes" if differing else "same"
    at_start = awaiting_restart(before, after)
    ends = lost_state(before, after)
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
