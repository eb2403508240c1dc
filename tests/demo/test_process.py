"""The demo backend as a child process."""

import subprocess
import sys
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from proxy.demo import process


def test_it_answers_while_the_block_runs_and_is_gone_after_it():
    with process() as url, urlopen(f"{url}/api/health", timeout=30) as answer:
        assert b'{"status": "ok"}' == answer.read()
    with pytest.raises(URLError):
        urlopen(url, timeout=30)


def test_it_does_not_outlive_a_parent_that_was_killed():
    command = [sys.executable, "-m", "proxy.demo", "--port", "0", "--with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        child.stdin.close()

        assert 0 == child.wait(30)
