"""The demo backend as a child: started, asked for its address, and never left behind."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def process() -> Iterator[str]:
    """Run it on a free port of the loopback while the block runs; gives its URL. Raises OSError.

    It has a session of its own: Ctrl-C is for the proxy, which may still be finishing answers.
    """
    command = [sys.executable, "-m", "proxy.demo", "--port", "0", "--with-parent"]
    with subprocess.Popen(  # noqa: S603 - our own module, no words from outside
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            words = child.stdout.readline().split() if child.stdout else []
            if not words:
                raise OSError("the demo chat backend did not start")
            yield words[-1]
        finally:
            child.terminate()
