"""Turns records of stdlib `logging` into events of our log, limited in rate.

Only the constant part of a message is kept: its values, and the text of its exception, may quote
what a client sent. Of a callback that asyncio found slow its name and place are kept as well.
A library that floods is cut to a few lines a minute and a count.
"""

import logging
import re
from pathlib import PurePath
from typing import Final

from proxy import clock
from proxy.observation.fault import fault_place
from proxy.observation.log import Log
from proxy.observation.redaction import USER_AGENT_CHARS, redact
from proxy.outcome import Level

_LINES: Final = 20
_WINDOW: Final = 60.0
_SLOW: Final = "Executing %s took %.3f seconds"
"""What asyncio says in debug mode; the first value is a handle or a task as it shows itself."""
_NAMES = (
    re.compile(r"coro=<([\w.<>]+)\("),
    re.compile(r"<function ([\w.<>]+) at "),
    re.compile(r"Handle (?:when=\S+ )?([\w.<>]+)(?:\(| created at )"),
)
_PLACES = (
    re.compile(r"(?:running|defined) at (\S+:\d+)"),
    re.compile(r"\) at (\S+:\d+)(?: created at \S+)?>$"),
    re.compile(r" created at (\S+:\d+)>$"),
)
"""The first that is found; uvloop knows no more than where a handle was created."""


class LibraryHandler(logging.Handler):
    """Turns log records into `library` events."""

    def __init__(self, log: Log, *, lines: int = _LINES, window: float = _WINDOW) -> None:
        super().__init__()
        self._log = log
        self._lines = lines
        self._window = window
        self._window_ends = float("-inf")
        self._left = 0
        self._suppressed = 0

    def emit(self, record: logging.LogRecord) -> None:
        if not self._has_room(clock.now()):
            self._suppressed += 1
            return
        fields = describe(record)
        if self._suppressed:
            fields["suppressed"], self._suppressed = self._suppressed, 0
        self._log.emit("library", _level(record.levelno), **fields)

    def _has_room(self, now: float) -> bool:
        if now >= self._window_ends:
            self._window_ends, self._left = now + self._window, self._lines
        self._left -= 1
        return self._left >= 0


def take_over_logging(log: Log) -> None:
    """Make `log` the only place that stdlib loggers of this process reach, from WARNING up."""
    logging.raiseExceptions = False  # a broken record must not print a traceback of its values
    logging.basicConfig(handlers=[LibraryHandler(log)], level=logging.WARNING, force=True)


def give_back_logging() -> None:
    """Undo `take_over_logging`: this log is about to close."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, LibraryHandler)]:
        root.removeHandler(handler)


def describe(record: logging.LogRecord) -> dict[str, object]:
    """Fields of the event: the logger, the first line of the template, the place of the fault."""
    text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    fields: dict[str, object] = {
        "logger": record.name,
        "message": redact(text.partition("\n")[0], USER_AGENT_CHARS),
    }
    if text == _SLOW and isinstance(record.args, tuple) and record.args:
        fields["culprit"] = culprit_of(str(record.args[0]))
    fault = record.exc_info[1] if record.exc_info else None
    if fault is not None:
        fields["fault"] = fault_place(fault)
    return fields


def culprit_of(shown: str) -> str:
    """Name and place of a callback out of what a handle or task shows, without its arguments."""
    name, place = (_first(patterns, shown) for patterns in (_NAMES, _PLACES))
    where = f" at {PurePath(place).name}" if place else ""
    return redact(f"{name or '?'}{where}", USER_AGENT_CHARS)


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str:
    found = (pattern.search(text) for pattern in patterns)
    return next((match[1] for match in found if match), "")


def _level(number: int) -> Level:
    if number >= logging.CRITICAL:
        return "critical"
    if number >= logging.ERROR:
        return "error"
    return "warning" if number >= logging.WARNING else "info"
