"""The log: events in, JSON lines out; writing never blocks the event loop.

An event is a name and fields. It is rendered at once, because its values may change afterwards,
and written later, by the writer's own thread. Many events made into lines by one thread go to the
writer as one piece: memory that is filled here and freed there costs more than the copy.
"""

import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final

import orjson
import structlog

from proxy import clock
from proxy.observation.outlet import Drops, Outlet
from proxy.observation.writer import Writer
from proxy.outcome import Level

_LEVEL_NAMES: Final = {
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
}


_RANKS: Final = {level: n for n, level in enumerate(_LEVEL_NAMES)}


class Log:
    """Where events go. Every method may be called from any thread; none but `close` waits."""

    def __init__(
        self, service: str = "sidelight", fd: int = 1, *, level: Level = "info", size: int = 8192
    ) -> None:
        self._service = service
        self._outlet = Outlet(fd, self._dropped_line)
        self._writer = Writer(self._outlet, size)
        self.listen_from(level)

    def listen_from(self, level: Level) -> None:
        """Write no event below `level` from now on."""
        self._rank = _RANKS[level]
        self._logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            _Queue(self._writer),
            processors=[self._render],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            context_class=dict,
        ).bind()

    @property
    def dropped(self) -> Drops:
        """Lines lost since the start, by cause."""
        return self._outlet.dropped

    def emit(self, event: str, level: Level = "info", /, **fields: object) -> None:
        """Say `event`. Texts from outside must be redacted already."""
        self.say(event, level, fields)

    def say(self, event: str, level: Level, fields: Mapping[str, object]) -> None:
        """Like `emit`, with the fields of a record, whose names may be any."""
        getattr(self._logger, level)(event, fields=fields)

    def hears(self, level: Level) -> bool:
        """Whether an event of this level is said at all."""
        return _RANKS[level] >= self._rank

    def line(self, event: str, level: str, fields: Mapping[str, object], at: float) -> bytes:
        """One event as it is written: time (`at`, wall time), level, service, name, fields."""
        return encode({**self.begun(event, level, at), **fields})

    def begun(self, event: str, level: str, at: float) -> dict[str, object]:
        """What an event begins with; its own fields are to follow."""
        return {
            "timestamp": clock.iso(at),
            "level": _LEVEL_NAMES[level],
            "service": self._service,
            "event": event,
        }

    def put(self, lines: Sequence[bytes]) -> None:
        """Say events that were made into lines already, in one go."""
        if lines:
            self._writer.put(b"".join(lines), len(lines))

    def close(self, timeout: float = 2.0) -> bool:
        """Flush for at most `timeout` seconds; what comes later is dropped. False: lines left."""
        return self._writer.close(timeout)

    def _render(self, _: object, level: str, fields: MutableMapping[str, Any]) -> bytes:
        """The one processor of the chain."""
        return self.line(fields["event"], level, fields["fields"], clock.wall())

    def _dropped_line(self, lost: Drops) -> bytes:
        return self.line("log_dropped", "warning", lost, clock.wall())


class _Queue:
    """What structlog takes for its logger."""

    def __init__(self, writer: Writer) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = writer.put


def encode(line: dict[str, object]) -> bytes:
    """An event as it is written."""
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # a lone surrogate, a huge integer, an object
        return json.dumps(line, default=repr, skipkeys=True).encode() + b"\n"
