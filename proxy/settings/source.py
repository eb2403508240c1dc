"""Where the settings of this process come from, so that they can be read again.

Reads files and may wait for them: for threads, never for the event loop.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from proxy.settings.faults import Place, SettingsError, SettingsFault
from proxy.settings.load import load, parse, settings_text
from proxy.settings.schema import Settings

PAUSE: Final = 0.05
"""Seconds between two looks at a file."""
LOOKS: Final = 40
"""Looks at a file that somebody is writing, until that is a fault."""


class Source:
    """A file, or one upstream, with the environment laid over; as `run` was told."""

    def __init__(
        self,
        path: Path | None,
        env: Mapping[str, str],
        upstream: str | None = None,
        look: Callable[[Settings], list[str]] = lambda _: [],
    ) -> None:
        self.path, self._env, self._upstream = path, env, upstream
        self._look = look
        """Looks into the files that settings name: gives warnings, raises SettingsError."""
        self.warnings: tuple[str, ...] = ()
        """Of what was read last."""
        self.seen = ""
        """Sign of what was read last, good or bad."""

    @property
    def name(self) -> str:
        return "settings" if self.path is None else str(self.path)

    def load(self, *, pause: float = PAUSE) -> Settings:
        """Read them whole. Raises SettingsError with everything that is wrong."""
        settings = self._read(pause)
        self.warnings = (*settings.warnings, *self._look(settings))
        return settings

    def _read(self, pause: float) -> Settings:
        if self.path is None:
            return load(None, self._env, self._upstream)
        text = self._settled(self.path, pause)
        return parse(text, self._env, source=str(self.path))

    def sign(self) -> str:
        """Another one whenever the file has another content, or cannot be read."""
        return self.seen if self.path is None else _read(self.path)[1]

    def _settled(self, path: Path, pause: float) -> str:
        """The text once two looks agree: a file may be half written."""
        before = None
        for _ in range(LOOKS):
            text, self.seen = _read(path)
            if isinstance(text, SettingsError):
                raise text
            if text == before:
                return text
            before = text
            time.sleep(pause)
        fault = SettingsFault(Place(str(path)), (), "is being written; no two looks at it agree")
        raise SettingsError([fault])


def _read(path: Path) -> tuple[str | SettingsError, str]:
    """The text, or why there is none, and the sign of either."""
    try:
        text = settings_text(path)
    except SettingsError as error:
        return error, _sign(f"unreadable {error}")
    return text, _sign(text)


def _sign(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
