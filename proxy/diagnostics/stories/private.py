"""Directories and files that only the user of this process may read, whatever the umask."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_DIRECTORY: Final = 0o700
_FILE: Final = 0o600


def make_directory(path: Path) -> None:
    """Make it with those above it that are missing; one that is there stays as it is."""
    for missing in reversed([part for part in (path, *path.parents) if not part.exists()]):
        missing.mkdir(_DIRECTORY, exist_ok=True)
        missing.chmod(_DIRECTORY)


def make_file(path: Path) -> None:
    """Make it, empty; of one that is there take everybody else's rights, where it is ours.

    That is not opened: to close it would end the locks that this process has on it.
    """
    try:
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _FILE)
    except FileExistsError:
        take_rights(path)
        return
    try:
        os.fchmod(made, _FILE)
    finally:
        os.close(made)


def take_rights(path: Path) -> None:
    """Let nobody else read the file; nothing where it is not there or not ours."""
    with suppress(FileNotFoundError, PermissionError):
        path.chmod(_FILE)
