"""The arguments of a Sidelight that runs, whatever stands before them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxy.commands.process import NotSidelightError, arguments_of, directory_of

NOBODY = 1 << 30
"""Above the largest number that Linux gives to a process."""
WAIT = "import sys; print(); sys.stdin.read()"


@pytest.fixture
def process() -> Iterator[Callable[..., int]]:
    """Starts a Python that waits, under arguments of which it reads none; gives its number."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> int:
        command = [sys.executable, "-c", WAIT, *arguments]
        one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(one)
        one.stdout.readline()  # until then it may still be a copy of this process
        return one.pid

    yield start
    for one in started:
        one.communicate(timeout=10)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(("/app/bin/sidelight",), ["run", "--config", "/a b.yaml"], id="installed"),
        pytest.param(("-m", "proxy"), ["run", "--upstream", "http://a:1"], id="as a module"),
        pytest.param(("--", "sidelight"), ["run"], id="behind an init"),
        pytest.param(("sidelight",), [], id="nothing"),
    ],
)
def test_what_comes_after_the_program(process, before, after) -> None:
    assert after == arguments_of(process(*before, *after))


def test_another_program_is_not_asked(process) -> None:
    with pytest.raises(NotSidelightError, match=r"is not Sidelight but .*python"):
        arguments_of(process("proxy", "run"))


def test_nobody_is_not_asked() -> None:
    with pytest.raises(NotSidelightError, match="No such file"):
        arguments_of(NOBODY)


def test_where_it_runs_is_told_and_where_nobody_runs_is_not(process) -> None:
    assert Path.cwd() == directory_of(process("sidelight"))
    with pytest.raises(NotSidelightError, match="No such file"):
        directory_of(NOBODY)
