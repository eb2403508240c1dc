"""Chaos for a few seconds, as `tests/house/chaos.py` plays it; SIDELIGHT_CHAOS says how many."""

import os
import subprocess
import sys

import pytest

from tests.house.house import ROOT

SECONDS = os.environ.get("SIDELIGHT_CHAOS", "6")


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_whatever_peers_do_nothing_leaks_and_every_exchange_has_its_line(loop):
    """Under `-X dev`: no warning, no error that nobody awaited, and no fault of ours."""
    command = [sys.executable, "-X", "dev", "-m", "tests.house.chaos", "--loop", loop]
    done = subprocess.run(
        [*command, "--seconds", SECONDS], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr), done.stdout
