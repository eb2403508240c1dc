"""What TLS costs: Sidelight against Caddy with the same certificate, in one run.

A new connection for each request (openssl s_time, eight at a time), by a full handshake or by
resuming the session of the one before, and kept ones (wrk). The certificate is one of P-256.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import peers
import table
from bench import running
from peers import LOAD_CORE, Peer

CLIENTS = 8
"""At a time, each of which connects anew once it has its answer."""
BEGIN, END = "<!-- tls: begin -->", "<!-- tls: end -->"
HEADER = """\
| | CPU µs/new connection | x Caddy | CPU µs/resumed | x Caddy | CPU µs/request, kept | x Caddy |
|---|--:|--:|--:|--:|--:|--:|"""
_REQUEST = "/api/messages?page=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nX-Rest:"
"""s_time writes `GET … HTTP/1.0` around it, and Caddy proxies nothing without a Host."""


@dataclass(slots=True)
class Row:
    """The rounds of one peer: CPU seconds of a connection with its request, and of a request on a
    kept one."""

    name: str
    new: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)


def measure(row: Row, peer: Peer, seconds: int) -> None:
    """One round. Raises RuntimeError where something was not answered."""
    row.new.append(_connections(peer, "-new", seconds))
    row.resumed.append(_connections(peer, "-reuse", seconds))
    before = peer.cpu()
    said = _loaded("wrk", "-t1", "-c32", f"-d{seconds}s", peer.url)
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"{peer.name} failed under load:\n{said}")
    row.kept.append((peer.cpu() - before) / _number(r"(\d+) requests in", said))


def _connections(peer: Peer, kind: str, seconds: int) -> float:
    """CPU seconds of one. Raises RuntimeError where the upstream's answer did not come."""
    command = (
        "openssl", "s_time", "-connect", f"127.0.0.1:{peer.port}", kind,
        "-www", _REQUEST.format(port=peer.port), "-time", str(seconds),
    )  # fmt: skip
    before = peer.cpu()
    with ThreadPoolExecutor(CLIENTS) as clients:
        heard = list(clients.map(lambda _: _loaded(*command), range(CLIENTS)))
    spent = peer.cpu() - before
    for said in heard:
        if _number(r"(\d+) bytes read per connection", said) < len(peers.ANSWER):
            raise RuntimeError(f"{peer.name} did not answer with what the upstream has:\n{said}")
        if kind == "-reuse" and re.search(r"^r*\*", said, re.MULTILINE):  # its mark of a full one
            raise RuntimeError(f"{peer.name} did not resume every session:\n{said}")
    return spent / sum(_number(r"(\d+) connections in \d+ real", said) for said in heard)


def _loaded(*command: str) -> str:
    pinned = ["taskset", "-c", str(LOAD_CORE), *command]
    return subprocess.run(pinned, capture_output=True, text=True, timeout=90, check=False).stdout


def _number(pattern: str, said: str) -> int:
    match = re.search(pattern, said)
    if match is None or match[1] == "0":
        raise RuntimeError(f"nothing was answered:\n{said}")
    return int(match[1])


def make_certificate(home: Path) -> None:
    """For localhost, by itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", home / "tls.key",
         "-out", home / "tls.crt"],
        check=True, capture_output=True,
    )  # fmt: skip


def bench(rounds: int, seconds: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="sidelight-tls-") as made:
        home = Path(made)
        make_certificate(home)
        wanted = [p for p in peers.tls_peers(home) if not p.missing]
        rows = {p.name: Row(p.name) for p in wanted}
        with running(wanted):
            for number in range(1, rounds + 1):
                print(f"round {number} of {rounds}", file=sys.stderr)
                for peer in wanted:
                    measure(rows[peer.name], peer, seconds)
        return list(rows.values())


def render(rows: list[Row], conditions: str) -> str:
    caddy = next((row for row in rows if row.name == "Caddy"), None)
    lines = [HEADER]
    for row in rows:
        cells = []
        for kind in ("new", "resumed", "kept"):
            cost = median(getattr(row, kind))
            others = getattr(caddy, kind) if caddy else None
            cells += [f"{cost * 1e6:.0f}", f"{cost / median(others):.2f}" if others else "-"]
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", conditions, table.machine()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="length of a round")
    parser.add_argument("--write", type=Path, help="page whose table is to be replaced")
    given = parser.parse_args()
    if reasons := peers.lacking():
        print("cannot measure: " + "; ".join(reasons), file=sys.stderr)
        return 1
    rows = bench(given.rounds, given.seconds)
    conditions = (
        f"TLS 1.3, P-256, {CLIENTS} clients that connect anew, 32 that do not; "
        f"medians of {given.rounds} rounds of {given.seconds} s each."
    )
    text = render(rows, conditions)
    print(text)
    if given.write:
        table.write(given.write, text, BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
