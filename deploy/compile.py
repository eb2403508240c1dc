"""Compiles the rooms on a request's way with mypyc, in place.

    python deploy/compile.py [ROOT]

ROOT is the directory that holds `proxy/`; here by default. `build_backend.py` does it for wheels.
Needs the `compile` extra and a C compiler; what it makes needs neither, and behaves as before:
`docs/decisions/0006-compiled.md` says what it is worth and what it asks of the code.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

CONFIG = Path(__file__).resolve().parent.parent / "pyproject.toml"

# By room. Left out is what inherits from aiohttp (`listener`, `admin`), what
# pydantic looks into (every `rule`, `rules` and `settings`), and what runs once or in a thread.
COMPILED = {
    ".": "admission attempt attempt_record attempts clock context descriptors drain exchange "
    "forward masking opening outcome own_response place_queue relay respond routing terms "
    "time_spent transitions upload",
    "client": "absence body chunk_reader connection exits head_reader intake kept_body output "
    "owner patience protocol reading registry request request_reader serving source states "
    "switched unread",
    "evidence": "gather near_miss record",
    "diagnostics/neighbours": "desk live ring rows second usual usual_times window",
    "diagnostics/stories": "recent",
    "fallback": "giving record static_answer",
    "http": "accept authority connection_auth cors error_page error_response forwarding framing "
    "guards head_writer header_changes headers identity peer proxy_status request_head trust",
    "limits": "arrivals concurrency fields gcra json_pointer keys message_guard overload places "
    "rate refused_keys response_size",
    "matching": "conditions index paths rank",
    "observation": "batch custom_fields end_facts log metrics observer readings record recorded "
    "recorder redaction route_metrics series stack_traces stream_events summary upstream_status",
    "resilience": "breaker budget circuit deadline opening pauses permits probes retry "
    "retry_after window",
    "streams": "clocks dues errors framing holding markers ndjson observer raw recognition relay "
    "sse upstream_errors upstream_response verdict",
    "upstream": "blanks bounded_body choice chooser chosen conclusion connection delivery ending "
    "endpoint endpoint_change endpoints interim link names pacing passive_health pool protocol "
    "request_writer rescue response response_reader result spare_parser states switched upstream",
    "upstream/balancing": "ejection ring turns two_choices",
    "upstream/health": "active check checks tally view",
    "websocket": "frames side tunnel upgrade",
    "timing": "loop_lag peer_queue progress silence upload_clocks waiter",
    "settings": "route_terms",
    "tls": "handshake handshake_log port protocol transport",
    "tracing": "attempt_facts b3 conventions record recurring route_words sampling "
    "span_events span_queue span_status spans texts trace_flags usual wire",
}


def paths() -> list[str]:
    """The files to compile, from ROOT on."""
    return [
        Path("proxy", folder, name).with_suffix(".py").as_posix()
        for folder, names in COMPILED.items()
        for name in names.split()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compile the request path with mypyc, in place.")
    parser.add_argument("root", type=Path, nargs="?", default=Path())
    root = parser.parse_args().root.resolve()
    if missing := [path for path in paths() if not (root / path).is_file()]:
        print(f"{root}: {missing[0]} is not there; ROOT must hold proxy/", file=sys.stderr)
        return 2
    if shutil.which(os.environ.get("CC", "cc")) is None:
        print("no C compiler (on Debian: apt-get install gcc python3-dev)", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="sidelight-compile-") as scratch:
        # apart from everything else: mypy takes what lies beside `proxy/` for sources as well
        shutil.copytree(root / "proxy", f"{scratch}/proxy")
        os.chdir(scratch)
        _build("built")
        shutil.copytree("built", root, dirs_exist_ok=True)
    return 0


def cold_header(runtime: str) -> str:
    """A header that marks as cold what mypyc's `runtime` header declares for faults.

    A C compiler puts apart what leads to a cold function: a quarter of all that mypyc writes makes
    tracebacks, and what lies between finds less room in the processor's caches.
    """
    found = re.findall(r"^void CPy\w*(?:Error|Traceback)\w*\([^;]*\);", runtime, re.MULTILINE)
    marked = [f"{declared[:-1]} __attribute__((cold));" for declared in found]
    return "\n".join(["#include <Python.h>", *marked, ""])


def _build(into: str) -> None:
    import mypyc
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    modules = mypycify(
        ["--config-file", str(CONFIG), *paths()],
        target_dir="c",
        group_name="proxy",
        debug_level="0",
        multi_file=True,
    )
    runtime = Path(mypyc.__file__).parent / "lib-rt" / "CPy.h"
    Path("cold.h").write_text(cold_header(runtime.read_text()))
    for module in modules:
        # hidden: modules call each other directly, not by a table that others could change
        module.extra_compile_args += ["-include", "cold.h", "-fvisibility=hidden"]

    class SideBySide(build_ext):
        """As many files at once as there are processors."""

        def build_extension(self, extension):
            self.compiler.compile = partial(_compile, self.compiler.compile)
            super().build_extension(extension)

    command = SideBySide(Distribution({"ext_modules": modules}))
    command.build_lib, command.build_temp = into, "o"
    command.ensure_finalized()
    command.run()


def _compile(compile_some, sources, **settings) -> list[str]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = pool.map(lambda source: compile_some([source], **settings), sources)
        return [each for some in objects for each in some]


if __name__ == "__main__":
    sys.exit(main())
