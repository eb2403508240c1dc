"""What spans and limits add: Sidelight with them beside Sidelight without, started anew each time.

How the memory of a process happens to lie is worth some microseconds a request, and what else the
machine does more: so there are several processes of each, and rounds follow each other closely.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles

import peers
import table
from bench import measure, running
from peers import LIMITED, SHARES, Peer

BEGIN, END = "<!-- added: begin -->", "<!-- added: end -->"
PLAIN = "Sidelight"
ADDED = (*SHARES, LIMITED[0])
_CONNECTIONS = 32
HEADER = """\
| | CPU µs/request | mean | quartiles | requests/s | mean | quartiles |
|---|--:|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one process to the plain one beside it: medians of its rounds."""

    cpu_us: float
    share: float
    """Of the plain one's requests per second, in percent."""


def compare(
    processes: int, rounds: int, seconds: int
) -> tuple[list[float], dict[str, list[Difference]]]:
    """What a request costs each plain process, and what is added, by name.

    Raises RuntimeError where one cannot be measured.
    """
    plain: list[float] = []
    found: dict[str, list[Difference]] = {name: [] for name in ADDED}
    for number in range(1, processes + 1):
        print(f"added: processes {number} of {processes}", file=sys.stderr)
        each = _measured(rounds, seconds)
        plain.append(median(one.cpu_us for one in each[PLAIN]))
        for name in ADDED:
            found[name].append(_difference(each[name], each[PLAIN]))
    return plain, found


def _measured(rounds: int, seconds: int) -> dict[str, list[table.Round]]:
    """Rounds of a process of each, by name, in the order in which they were run."""
    wanted = [p for p in peers.peers() if p.name in (PLAIN, *ADDED)]
    found: dict[str, list[table.Round]] = {p.name: [] for p in wanted}
    with running(wanted):
        for peer in wanted:
            measure(peer, _CONNECTIONS, 1)  # warm-up
        for number in range(rounds):
            for peer in _in_turn(wanted, number):
                found[peer.name].append(measure(peer, _CONNECTIONS, seconds))
    return found


def _in_turn(wanted: list[Peer], number: int) -> list[Peer]:
    """Forth and back, so that what becomes slower meanwhile falls on all alike."""
    return wanted[::-1] if number % 2 else wanted


def _difference(rounds: list[table.Round], plain: list[table.Round]) -> Difference:
    pairs = list(zip(rounds, plain, strict=True))
    return Difference(
        median(one.cpu_us - other.cpu_us for one, other in pairs),
        median(100 * (one.per_second / other.per_second - 1) for one, other in pairs),
    )


def render(plain: list[float], found: dict[str, list[Difference]], conditions: str) -> str:
    """The table, what it was added to, and a line on the machine."""
    lines = [HEADER]
    for name, some in found.items():
        cpu = _spread([one.cpu_us for one in some], "")
        share = _spread([one.share for one in some], " %")
        lines.append(f"| {name.removeprefix(f'{PLAIN}, ')} | {cpu} | {share} |")
    base = f"Added to {median(plain):.1f} µs; {conditions}."
    return "\n".join([*lines, "", base, table.machine()])


def _spread(values: list[float], unit: str) -> str:
    low, _, high = quantiles(values, n=4)
    cells = f"{median(values):+.1f}{unit}", f"{mean(values):+.1f}{unit}"
    return " | ".join([*cells, f"{low:+.1f} to {high:+.1f}{unit}"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8, help="of each, one after the other")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=1, help="length of a round")
    parser.add_argument("--write", type=Path, help="page whose table is to be replaced")
    given = parser.parse_args()
    if given.processes < 2:
        parser.error("--processes: at least 2, for there are quartiles")
    if reasons := peers.lacking():
        print("cannot measure: " + "; ".join(reasons), file=sys.stderr)
        return 1
    if reason := peers.uncompiled():
        print(f"what is added is not measured: {reason}", file=sys.stderr)
        return 0
    text = render(
        *compare(given.processes, given.rounds, given.seconds),
        f"{given.processes} processes of each, started anew, {given.rounds} rounds of "
        f"{given.seconds} s, {_CONNECTIONS} connections; medians of the processes",
    )
    print(text)
    if given.write:
        table.write(given.write, text, BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
