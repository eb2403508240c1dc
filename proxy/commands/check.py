"""`check FILE`: everything that is wrong. `check --diff OLD NEW`: what a reload would do.

Exit codes: 0 good, or the same; 1 they differ; 2 one of them is wrong.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from proxy.commands.named_files import look_into_files
from proxy.commands.variables_said import said_of_variables
from proxy.settings.difference import changes
from proxy.settings.faults import SettingsError, SettingsFault, in_order
from proxy.settings.restart import awaiting_restart
from proxy.settings.schema import Settings
from proxy.settings.source import Source
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
    parser.add_argument("--json", action="store_true", help="say it as JSON")
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    """Raises SettingsError where something is wrong and people want to read it."""
    paths = options.diff or [options.file]
    found, faults, warnings = _loaded(paths)
    if faults and not options.json:
        raise SettingsError(faults)
    if faults:
        return _tell({"result": "faults", "faults": [*map(str, faults)]}, "", FAULTS, as_json=True)
    if not options.json:
        sys.stderr.writelines(f"warning: {warning}\n" for warning in warnings)
    body, text, code = compare(*found) if options.diff else _good(options.file, found[0])
    return _tell({**body, "warnings": warnings}, text, code, as_json=options.json)


def compare(old: Settings, new: Settings) -> tuple[dict[str, object], str, int]:
    """How they differ: as JSON, as text, and the exit code."""
    differing, ends = changes(old, new), lost_state(old, new)
    at_start = awaiting_restart(old, new)
    body: dict[str, object] = {
        "result": "changes" if differing else "same",
        "changes": [asdict(change) for change in differing],
        "lost": ends,
        "needs_restart": list(at_start),
        "old_hash": old.config_hash,
        "new_hash": new.config_hash,
    }
    told = [
        *_section("changes", differing),
        *_section("ends with the reload", ends),
        *_section("needs a restart, a reload leaves it", at_start),
    ]
    return body, "\n".join(told) or "the same", CHANGES if differing else SAME


def _good(path: Path, settings: Settings) -> tuple[dict[str, object], str, int]:
    count, config = len(settings.routes), settings.config_hash
    routes = f"{count} route{'s' if count != 1 else ''}"
    body: dict[str, object] = {"result": "ok", "routes": count, "config_hash": config}
    return body, f"{path}: ok, {routes}, config {config}", SAME


def _loaded(paths: Iterable[Path]) -> tuple[list[Settings], list[SettingsFault], list[str]]:
    """The settings of all files, the faults of those that have any, the warnings of the last."""
    found: list[Settings] = []
    faults: list[SettingsFault] = []
    warnings: list[str] = []
    for path in paths:
        try:
            source = Source(path, os.environ, look=look_into_files)
            found.append(source.load(pause=0))
            warnings = [*source.warnings, *said_of_variables(found[-1], os.environ)]
        except SettingsError as error:
            faults += error.faults
    return found, in_order(faults), warnings


def _section(title: str, entries: Iterable[object]) -> list[str]:
    lines = [f"  {entry}" for entry in entries]
    return [f"{title}:", *lines] if lines else []


def _tell(body: Mapping[str, object], text: str, code: int, *, as_json: bool) -> int:
    sys.stdout.write(f"{json.dumps(body, indent=2) if as_json else text}\n")
    return code
