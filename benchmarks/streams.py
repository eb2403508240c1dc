"""What a stream costs: CPU per relayed event, added latency, and memory per idle stream.

One core for the proxy, the other for upstream and readers; peers take turns, medians are shown.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import peers
import table
from peers import HERE, LOAD_CORE, Peer

BEGIN, END = "<!-- streams: begin -->", "<!-- streams: end -->"
HEADER = """\
| | CPU µs/event | x Caddy | p50 ms | p99 ms | added p99 ms | KiB/idle stream | x Caddy |
|---|--:|--:|--:|--:|--:|--:|--:|"""
STREAMS, IDLE = 200, 2000
Figures = dict[str, float]


def _load(*words: object) -> subprocess.Popen[str]:
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, str(HERE / "stream_load.py")]
    running = subprocess.Popen(
        [*command, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    if running.stdout.readline() != "ready\n":
        running.kill()
        raise RuntimeError(f"streams could not be opened: {words}")
    return running


def relay(peer: Peer, seconds: float) -> Figures:
    """Figures of one round of busy streams."""
    load = _load("measure", peer.port, STREAMS, seconds)
    before = peer.cpu()
    assert load.stdout is not None
    figures = json.loads(load.stdout.readline())
    cpu = peer.cpu() - before
    load.communicate(timeout=30)
    return {"cpu_us": cpu / figures["events"] * 1e6, "p50": figures["p50"], "p99": figures["p99"]}


def memory(peer: Peer) -> float:
    """KiB of resident memory for each of many idle streams."""
    before = peer.resident()
    load = _load("hold", peer.port, IDLE)
    time.sleep(1)  # so that what was only needed to open them is given back
    grown = peer.resident() - before
    load.communicate(timeout=30)
    return grown / IDLE / 1024


def bench(rounds: int, seconds: float) -> tuple[list[Peer], dict[str, list[Figures]], Figures]:
    wanted = [p for p in peers.peers() if not p.missing]
    found: dict[str, list[Figures]] = {p.name: [] for p in wanted}
    held: Figures = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sidelight-streams-")))
        peers.stop_with(stack, peers.start_origin(home / "origin"))
        peers.stop_with(stack, peers.start_collector(home / "collector"))
        for peer in wanted:
            stack.callback(peer.stop)
            peer.start(home)
        for number in range(1, rounds + 1):
            print(f"streams: round {number} of {rounds}", file=sys.stderr)
            for peer in wanted:
                found[peer.name].append(relay(peer, seconds))
        for peer in wanted:
            if peer.process is not None:
                held[peer.name] = memory(peer)
    return wanted, found, held


def render(wanted: list[Peer], found: dict[str, list[Figures]], held: Figures) -> str:
    middle = {
        name: {figure: median(one[figure] for one in rounds) for figure in rounds[0]}
        for name, rounds in found.items()
    }
    direct, caddy = middle["direct"]["p99"], middle.get("Caddy", {}).get("cpu_us", 0.0)
    lines = [HEADER]
    for peer in wanted:
        of, kept = middle[peer.name], held.get(peer.name, 0.0)
        cells = [
            f"{of['cpu_us']:.1f}" if kept else "-",
            f"{of['cpu_us'] / caddy:.2f}" if kept and caddy else "-",
            f"{of['p50']:.2f}",
            f"{of['p99']:.2f}",
            f"{of['p99'] - direct:.2f}" if kept else "-",
            f"{kept:.1f}" if kept else "-",
            f"{kept / held['Caddy']:.2f}" if kept and held.get("Caddy") else "-",
        ]
        lines.append(f"| {peer.name} | {' | '.join(cells)} |")
    conditions = f"{STREAMS} streams at 20 events/s; memory with {IDLE} idle streams."
    return "\n".join([*lines, "", conditions, table.machine()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of a round")
    parser.add_argument("--write", type=Path, help="page whose table is to be replaced")
    given = parser.parse_args()
    if reasons := peers.lacking():
        print("cannot measure: " + "; ".join(reasons), file=sys.stderr)
        return 1
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    text = render(*bench(given.rounds, given.seconds))
    print(text)
    if given.write:
        table.write(given.write, text, BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
