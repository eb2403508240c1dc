"""How another process was started, read from `/proc`; no signal is sent."""

from pathlib import Path
from typing import Final

_PROGRAM: Final = "sidelight"
_MODULE: Final = ["-m", "proxy"]


class NotSidelightError(Exception):
    """The process is another program, or there is none."""


def arguments_of(pid: int) -> list[str]:
    """Those after `sidelight`, whatever stands before it (an interpreter, an init of a container).

    Raises NotSidelightError.
    """
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError as error:
        raise NotSidelightError(f"process {pid}: {error.strerror}") from None
    words = line.decode(errors="surrogateescape").rstrip("\0").split("\0")
    for n, word in enumerate(words):
        if Path(word).name == _PROGRAM:
            return words[n + 1 :]
        if words[n : n + 2] == _MODULE:
            return words[n + 2 :]
    raise NotSidelightError(f"process {pid} is not Sidelight but {words[0] or 'of the kernel'}")


def directory_of(pid: int) -> Path:
    """Where it runs. Raises NotSidelightError where that may not be known."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError as error:
        raise NotSidelightError(f"process {pid}: {error.strerror}") from None
