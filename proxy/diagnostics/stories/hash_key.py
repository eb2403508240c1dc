"""The key under which values of the team's own fields are hashed (HMAC-SHA256).

One that is given, else one that is made once and kept beside the store, so that a value has the
same hash after a restart. Where that cannot be, one that lives as long as the process.
"""

import os
from pathlib import Path
from secrets import token_hex
from typing import Final

from proxy.diagnostics.stories.private import make_directory, make_file, take_rights
from proxy.observation.record import EmitEvent

_BYTES: Final = 32
_LEAST: Final = 16
"""Characters of a key."""


def hash_key(given: str | None, store: str | None, tell: EmitEvent) -> bytes:
    """`store` is the path of the store. A key that is not kept is told."""
    if given is not None:
        return given.encode()
    if store is None:
        reason = "there is no store to keep it beside"
    else:
        try:
            return _kept(Path(f"{store}.hash-key"))
        except OSError as error:
            reason = error.strerror or type(error).__name__
        except ValueError as error:
            reason = str(error)
    tell("hash_key_temporary", "warning", {"reason": reason})
    return token_hex(_BYTES).encode()


def _kept(path: Path) -> bytes:
    """Raises OSError, or ValueError where the file is not ours."""
    if not path.exists():
        _make(path)
    take_rights(path)
    key = path.read_bytes().strip()
    if len(key) < _LEAST:
        raise ValueError(f"{path.name} holds no key")
    return key


def _make(path: Path) -> None:
    """Put a new key there whole; if another process does so as well, the first one stays."""
    make_directory(path.parent)
    new = path.with_name(f"{path.name}.{token_hex(8)}")
    try:
        make_file(new)
        new.write_text(token_hex(_BYTES))
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink(missing_ok=True)
