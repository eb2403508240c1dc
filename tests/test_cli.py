"""What people type first, and what they are told."""

import os
import re
import signal
import subprocess
import sys
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from proxy import __version__
from proxy.cli import main
from tests.house.house import ROOT, free_port

FILE = """
upstreams: { a: { endpoints: ["http://127.0.0.1:1"] } }
routes:
  - { name: r, match: { path: /, methods: [GET] }, upstream: a }
"""
ROUTE = "  - { name: s, match: { path: /s, methods: [PSOT] }, upstream: a }\n"


def test_the_version_is_an_option_too(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert 0 == ended.value.code
    assert capsys.readouterr().out.startswith(f"sidelight {__version__} (")


@pytest.mark.parametrize(("text", "count"), [(FILE, "1 route"), (FILE + ROUTE, "2 routes")])
def test_a_check_counts_the_routes(tmp_path: Path, capsys, text, count):
    (tmp_path / "a.yaml").write_text(text)

    assert 0 == main(["check", str(tmp_path / "a.yaml")])
    assert f": ok, {count}, config " in capsys.readouterr().out


def test_a_check_says_what_is_odd(tmp_path: Path, capsys):
    (tmp_path / "a.yaml").write_text(FILE + ROUTE)
    main(["check", str(tmp_path / "a.yaml")])

    assert 'warning: {}:5:45: routes[1].match.methods[0]: PSOT is no method of HTTP'.format(
        tmp_path / "a.yaml"
    ) in capsys.readouterr().err  # fmt: skip


@pytest.mark.parametrize("port", ["x", "-1", "65536", "80 "])
def test_what_is_no_port_is_refused(capsys, port):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--upstream", "http://127.0.0.1:1", f"--port={port}"])

    assert 2 == ended.value.code
    assert f'"{port}" is not a port' in capsys.readouterr().err


@pytest.mark.parametrize("words", [["check", "a", "b"], ["errors", "x"], ["explain", "a", "--no"]])
def test_what_no_command_takes_is_refused(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert 2 == ended.value.code
    assert f"unrecognized arguments: {words[-1]}" in capsys.readouterr().err


def started(*words: str, **env: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "proxy", *words],
        cwd=ROOT,
        env=os.environ | {key: str(value) for key, value in env.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGINT)
    with process:
        process.communicate(timeout=30)
    return process.returncode


def refusal(request: str | Request) -> Message:
    """The headers of an answer that is an error."""
    with pytest.raises(HTTPError) as refused:
        urlopen(request, timeout=30)
    with refused.value as answer:
        return answer.headers


def test_the_port_of_the_command_lies_over_all_others(tmp_path: Path):
    """And an upstream may be written with a slash at its end."""
    port, other = free_port(), free_port()
    words = ["run", "--upstream", "http://127.0.0.1:1/", "--port", str(port)]
    running = started(*words, SIDELIGHT_LISTEN__PORT=other, SIDELIGHT_ADMIN__PORT=0)
    line = next(line for line in running.stdout if '"started"' in line)

    assert f'"port":{port}' in line
    assert "connect_refused" == refusal(f"http://127.0.0.1:{port}/")["X-Sidelight-Error"]
    assert 0 == ended(running)


def test_the_demo_has_a_page_of_another_origin_that_may_read_its_errors():
    running = started("demo", SIDELIGHT_LISTEN__PORT=0, SIDELIGHT_ADMIN__PORT=0)
    told = next(line for line in running.stderr if line.startswith("chat page"))
    origin, port = re.search(r"(http://127\.0\.0\.1:\d+)/\?port=(\d+)", told).groups()
    with urlopen(f"{origin}/", timeout=30) as page:
        assert b"./sidelight.js" in page.read()
    request = Request(f"http://127.0.0.1:{port}/api/down", b"{}", {"Origin": origin})
    headers = refusal(request)

    assert "connect_refused" == headers["X-Sidelight-Error"]
    assert origin == headers["Access-Control-Allow-Origin"]
    assert 0 == ended(running)
