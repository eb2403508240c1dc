"""What a reload costs the event loop: its longest turn while a hundred routes are replaced.

In one process, without load. A turn's cost is CPU time from one call to the next of a callback that
asks to be called in every turn: of the loop's thread, and of all threads, which has in it the time
for which the one that reads the settings keeps the interpreter's lock from the loop.
"""

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import peers
import table

BEGIN, END = "<!-- reload: begin -->", "<!-- reload: end -->"
ROUTES = 100
HEADER = """\
| | longest turn, CPU ms | worst | with all threads, CPU ms | worst |
|---|--:|--:|--:|--:|"""
SETTINGS = """
listen: {{ host: 127.0.0.1, port: 0 }}
admin: {{ host: 127.0.0.1, port: 0 }}
upstreams: {{ chat: {{ endpoints: ["http://127.0.0.1:9"] }} }}
routes:
"""
ROUTE = (
    "  - {{ name: r{n}, upstream: chat, match: {{ path: /api/{n}/ }}, timeouts: {{ gap: {gap}s }},"
    " rate_limit: [{{ rate: 100/1s }}], concurrency: {{ limit: {gap} }} }}\n"
)


@dataclass(slots=True)
class Turns:
    """The longest turn so far, in seconds."""

    loop: asyncio.AbstractEventLoop
    cpu: float = 0.0
    all: float = 0.0
    is_over: bool = False
    _cpu_before: float = 0.0
    _before: float = 0.0

    def start(self) -> None:
        self.cpu = self.all = 0.0
        self.is_over = False
        self._cpu_before, self._before = time.thread_time(), time.process_time()
        self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        cpu, at = time.thread_time(), time.process_time()
        self.cpu = max(self.cpu, cpu - self._cpu_before)
        self.all = max(self.all, at - self._before)
        self._cpu_before, self._before = cpu, at
        if not self.is_over:
            self.loop.call_soon(self._turn)


async def measure(path: Path, reloads: int) -> list[tuple[float, float]]:
    """CPU of the loop and of all threads in the longest turn of each reload.

    Raises RuntimeError where one fails.
    """
    from proxy.app import App
    from proxy.settings.source import Source

    _write(path, 10)
    source = Source(path, dict(os.environ))
    found = []
    with Path(os.devnull).open("wb") as nowhere:  # noqa: ASYNC230 - before anything is measured
        app = App(source.load(), log_fd=nowhere.fileno(), source=source)
        await app.start()
        gc.collect()
        gc.freeze()  # as `run` does
        turns = Turns(asyncio.get_running_loop())
        try:
            for number in range(reloads):
                _write(path, 11 + number)
                turns.start()
                report = await app.reloader.reload("bench")
                turns.is_over = True
                await asyncio.sleep(0.01)
                if report.result != "loaded" or len(report.changed) < ROUTES:
                    raise RuntimeError(f"not reloaded: {report}")
                found.append((turns.cpu, turns.all))
        finally:
            await app.stop()
    return found


def _write(path: Path, gap: int) -> None:
    path.write_text(SETTINGS.format() + "".join(ROUTE.format(n=n, gap=gap) for n in range(ROUTES)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=20)
    parser.add_argument("--write", type=Path, help="page whose table is to be replaced")
    given = parser.parse_args()
    is_compiled = not peers.uncompiled()
    sys.path.insert(0, str(peers.COMPILED if is_compiled else peers.HERE.parent))
    import uvloop

    lines = [HEADER]
    with tempfile.TemporaryDirectory(prefix="sidelight-reload-") as made:
        for name, loop in (("uvloop", uvloop.new_event_loop), ("asyncio", asyncio.new_event_loop)):
            with asyncio.Runner(loop_factory=loop) as runner:
                found = runner.run(measure(Path(made) / "sidelight.yaml", given.reloads))
            figures = [
                f"{pick(row[column] for row in found) * 1e3:.1f}"
                for column in (0, 1)
                for pick in (median, max)
            ]
            lines.append(f"| {name} | {' | '.join(figures)} |")
    kind = "compiled" if is_compiled else "interpreted"
    conditions = f"{given.reloads} reloads, each of which changes all {ROUTES} routes; {kind}."
    text = "\n".join([*lines, "", conditions, table.machine()])
    print(text)
    if given.write:
        table.write(given.write, text, BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
