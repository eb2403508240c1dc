"""A password file that a group may read, as files of a secret are in Kubernetes.

libpq passes it over as it is; it is given a copy in memory that only this process can read. A file
that everybody may read is passed over here as well.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_LARGEST: Final = 64 * 1024
_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP


@contextmanager
def with_passfile(url: str) -> Iterator[str]:
    """How to connect, as long as this lasts. It reads the file anew, and raises nothing."""
    text = _shared_text(url)
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


def _shared_text(url: str) -> bytes | None:
    """What a file says that a group may read; None: libpq can look after it by itself."""
    path = conninfo_to_dict(url).get("passfile") or os.environ.get("PGPASSFILE")
    if not path or not hasattr(os, "memfd_create"):
        return None
    try:
        with Path(str(path)).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            is_shared = stat.S_ISREG(mode) and mode & stat.S_IRGRP and not mode & _OTHERS
            return file.read(_LARGEST) if is_shared else None
    except OSError:
        return None
