"""What a request costs: Sidelight against nginx, Caddy and a bare aiohttp proxy, in one run.

One core for the proxy, the other for load (wrk) and upstream (nginx). Rounds are interleaved,
so that whatever else the machine does falls on all alike; the table shows medians.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import peers
import table
from peers import LOAD_CORE, Peer

_SHARE = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", re.MULTILINE)
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def measure(peer: Peer, connections: int, seconds: int) -> table.Round:
    """Load `peer` for that long. Raises RuntimeError where any answer was not 2xx."""
    before = peer.cpu()
    said = _wrk(peer.url, connections, seconds)
    cpu = peer.cpu() - before
    requests = int(_find(r"(\d+) requests in", said))
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{peer.name} failed under load:\n{said}")
    spread = {
        share: float(value) * _MILLISECONDS[unit] for share, value, unit in _SHARE.findall(said)
    }
    return table.Round(
        cpu_us=cpu / requests * 1e6,
        per_second=float(_find(r"Requests/sec:\s+([\d.]+)", said)),
        p50_ms=spread["50"],
        p99_ms=spread["99"],
    )


def _wrk(url: str, connections: int, seconds: int) -> str:
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", "--latency", "-t1"]
    command += [f"-c{connections}", f"-d{seconds}s", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True)
    return done.stdout


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk said no {pattern!r}:\n{text}")
    return match[1]


@contextmanager
def running(wanted: list[Peer]) -> Iterator[None]:
    """The upstream and all peers; stopped in any case."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sidelight-bench-")))
        peers.stop_with(stack, peers.start_upstream(home / "upstream"))
        peers.stop_with(stack, peers.start_collector(home / "collector"))
        for peer in wanted:
            stack.callback(peer.stop)
            peer.start(home)
        yield


def bench(rounds: int, seconds: int, connections: int, only: list[str]) -> list[table.Row]:
    """All rounds of all peers. Raises RuntimeError where one cannot be measured."""
    wanted = [p for p in peers.peers() if not only or p.name in only]
    present = [p for p in wanted if not p.missing]
    rows = {p.name: table.Row(p.name, p.missing) for p in wanted}
    with running(present):
        for peer in present:
            measure(peer, connections, 1)  # warm-up
        for number in range(1, rounds + 1):
            print(f"round {number} of {rounds}", file=sys.stderr)
            for peer in present:
                rows[peer.name].rounds.append(measure(peer, connections, seconds))
    return list(rows.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="length of a round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", action="append", help="name of a peer; may be given repeatedly")
    parser.add_argument("--write", type=Path, help="page whose table is to be replaced")
    given = parser.parse_args()
    if reasons := peers.lacking():
        print("cannot measure: " + "; ".join(reasons), file=sys.stderr)
        return 1
    rows = bench(given.rounds, given.seconds, given.connections, given.only or [])
    conditions = (
        f"{given.connections} connections, medians of {given.rounds} rounds of {given.seconds} s"
    )
    text = table.render(rows, conditions)
    print(text)
    if given.write:
        table.write(given.write, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
