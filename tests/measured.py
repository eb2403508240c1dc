"""Holds that the tests cover each module of `proxy/`: python tests/measured.py REPORT

REPORT is what `coverage json` writes.
"""

import json
import sys
from pathlib import Path

LEAST = 90.0
"""Per cent of the lines of each module."""

BELOW: dict[str, tuple[float, str]] = {}
"""Modules below it: their least, and why. A figure may only rise, the list may only shrink."""


def faults(measured: dict[str, float]) -> list[str]:
    """What is covered less than it must be, and what is listed without need. By file."""
    found = []
    for file, percent in sorted(measured.items()):
        least, _ = BELOW.get(file, (LEAST, ""))
        if percent < least:
            found.append(f"{file}: {percent:.1f} % of its lines are covered, not {least:.0f} %")
    unneeded = [file for file in BELOW if measured.get(file, 100.0) >= LEAST]
    return [*found, *(f"{file}: covered well or gone; take it off the list" for file in unneeded)]


def main(report: Path) -> int:
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    measured = {file: one["summary"]["percent_covered"] for file, one in files.items()}
    for fault in (found := faults(measured)):
        print(fault, file=sys.stderr)
    print(f"{len(measured)} modules, the least covered: {min(measured.values()):.1f} %")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
