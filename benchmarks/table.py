"""The figures as a Markdown table, with the machine they were taken on."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEADER = """\
| | CPU µs/request | x Caddy | x bare aiohttp | requests/s | p50 ms | p99 ms |
|---|--:|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one peer."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(slots=True)
class Row:
    """All rounds of one peer, or why there are none."""

    name: str
    missing: str = ""
    rounds: list[Round] = field(default_factory=list)

    def middle(self, figure: str) -> float:
        return median(getattr(one, figure) for one in self.rounds)


def render(rows: list[Row], conditions: str) -> str:
    """The table, a line on the conditions and one on the machine."""
    costs = {row.name: row.middle("cpu_us") for row in rows if row.rounds}
    lines = [HEADER, *(_line(row, costs) for row in rows)]
    return "\n".join([*lines, "", f"{conditions}; p50 and p99 at full load.", machine()])


def _line(row: Row, costs: dict[str, float]) -> str:
    if not row.rounds:
        return f"| {row.name} | skipped: {row.missing} | | | | | |"
    cost = row.middle("cpu_us")
    cells = [
        f"{cost:.1f}" if cost else "-",
        _ratio(cost, costs.get("Caddy")),
        _ratio(cost, costs.get("bare aiohttp")),
        f"{row.middle('per_second'):,.0f}",
        f"{row.middle('p50_ms'):.2f}",
        f"{row.middle('p99_ms'):.2f}",
    ]
    return f"| {row.name} | {' | '.join(cells)} |"


def _ratio(cost: float, other: float | None) -> str:
    return f"{cost / other:.2f}" if cost and other else "-"


def machine() -> str:
    """Processor, kernel and versions in one line."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    parts = [
        f"{os.cpu_count()} x {model[1] if model else platform.machine()}",
        f"Linux {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}",
        _version("nginx", "-v"),
        _version("caddy", "version"),
        _version("wrk", "-v"),
    ]
    return "Machine: " + ", ".join(part for part in parts if part) + "."


def _version(command: str, flag: str) -> str:
    try:
        done = subprocess.run([command, flag], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return f"{command} {found[0]}" if found else ""


def write(page: Path, text: str, first: str = BEGIN, last: str = END) -> None:
    """Put `text` between the marks of `page`. Raises ValueError where it has none."""
    before, begin, rest = page.read_text().partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{page} has no {first} … {last}")
    page.write_text(f"{before}{first}\n{text}\n{last}{after}")
