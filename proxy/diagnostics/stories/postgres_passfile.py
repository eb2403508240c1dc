"""The password file as libpq is given it.

One that a group may read, as files of a secret are in Kubernetes, libpq would pass over: it is
given a copy in memory that only this process can read. Of one that others may read the copy is
empty, or libpq would complain on standard error with every attempt.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from psycopg.conninfo import make_conninfo

from proxy.diagnostics.stories.store_files import is_private, passfile_of

_LARGEST: Final = 64 * 1024
_ALL_BUT_OWNER: Final = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def with_passfile(url: str) -> Iterator[str]:
    """How to connect, as long as this lasts. It reads the file anew, and raises nothing."""
    text = _copied(url)
    if text is None:
        yield url
        return
    copy = os.memfd_create("passfile")
    try:
        os.fchmod(copy, stat.S_IRUSR)
        os.write(copy, text)
        yield make_conninfo(url, passfile=f"/proc/self/fd/{copy}")
    finally:
        os.close(copy)


def _copied(url: str) -> bytes | None:
    """What libpq may know of a file that it would not read; None: it can look after it itself."""
    path = passfile_of(url)
    if path is None or not hasattr(os, "memfd_create"):
        return None
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and not mode & _ALL_BUT_OWNER:
                return None
            return file.read(_LARGEST) if is_private(mode) else b""
    except OSError:
        return None
