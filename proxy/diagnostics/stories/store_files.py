"""Files that the URL of a PostgreSQL store names: whether they can be used.

It is what `sidelight check` can know, and what makes a refusal of the server's understood.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from proxy.diagnostics.stories.store_url import parameters_of

READ: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
NO_FILE: Final = "system"
"""Said of `sslrootcert`, it is no name of a file."""

_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP


def passfile_of(url: str) -> str | None:
    """The password file that is named, here or in the environment; None: no file is."""
    return parameters_of(url).get("passfile") or os.environ.get("PGPASSFILE") or None


def is_private(mode: int) -> bool:
    """Whether a password file is what it must be: a file that nobody else may read, or a group."""
    return stat.S_ISREG(mode) and not mode & _OTHERS


def why_passed_over(path: str) -> str | None:
    """Why a password file is not used, and what to do; None: it is."""
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        return f"passfile {path} cannot be read: {error.strerror}"
    if is_private(mode):
        return None
    if not stat.S_ISREG(mode):
        return f"passfile {path} is passed over: it is no plain file"
    rights = f"{stat.S_IMODE(mode):04o}"
    return (
        f"passfile {path} is passed over: others may read or change it (mode {rights}); "
        "make it 0600, or 0440 where a group must read it"
    )


def wrong_files(url: str) -> Iterator[str]:
    """What is wrong with the files that it names."""
    given = parameters_of(url)
    for name in READ:
        path = given.get(name)
        if path and path != NO_FILE and not os.access(path, os.R_OK):
            yield f"{name} {path} cannot be read"
    path = passfile_of(url)
    if path is not None and (why := why_passed_over(path)) is not None:
        yield why
