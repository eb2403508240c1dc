"""What takes effect only at a start: a reload names it and leaves it as it was."""

from typing import Final

from proxy.settings.schema import Settings

AT_START: Final[tuple[tuple[str, ...], ...]] = (
    ("service",),
    ("event_loop",),
    ("listen", "host"),
    ("listen", "port"),
    ("listen", "backlog"),
    ("listen", "tls"),
    ("admin", "host"),
    ("admin", "port"),
    ("admin", "max_connections"),
    ("admin", "tls"),
    ("log", "queue"),
    ("overload",),
    ("store", "path"),
)
"""Keys by their way."""


def awaiting_restart(running: Settings, new: Settings) -> tuple[str, ...]:
    """The keys, dotted, whose new values a restart would bring."""
    return tuple(".".join(path) for path in _differing(running, new))


def effective(running: Settings, new: Settings) -> Settings:
    """`new`, but what needs a restart as it is now."""
    updates: dict[str, object] = {}
    for path in _differing(running, new):
        section, key = path[0], path[-1]
        value = _value(running, path)
        if len(path) > 1:
            value = updates.get(section, getattr(new, section)).model_copy(update={key: value})  # type: ignore[attr-defined]
        updates[section] = value
    if not updates:
        return new
    copy = new.model_copy(update=updates)
    copy.__dict__.pop("config_hash", None)  # that of the file is another one
    return copy


def _differing(running: Settings, new: Settings) -> list[tuple[str, ...]]:
    return [path for path in AT_START if _value(running, path) != _value(new, path)]


def _value(settings: Settings, path: tuple[str, ...]) -> object:
    value: object = settings
    for key in path:
        value = getattr(value, key)
    return value
