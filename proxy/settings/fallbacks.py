"""Checks fallbacks before any port is opened: the upstream they name, and the file they read.

Asks the system for the files, where Sidelight will run.
"""

from collections.abc import Iterator

from proxy.fallback.build import file_bytes
from proxy.fallback.static_answer import static_answer
from proxy.settings.faults import KeyPath, SettingsFault, nearest
from proxy.settings.plan import policies_and_routes
from proxy.settings.tree import Keys, place_of
from proxy.streams.rules import EndMarkerRule


def fallback_faults(whole: Keys) -> Iterator[SettingsFault]:
    """What is wrong with the fallbacks of policies and routes, the routes laid over theirs."""
    upstreams = whole.section("upstreams")
    known = list(upstreams.nodes if upstreams else ())
    for path, holder in policies_and_routes(whole):
        given = holder.section("fallback")
        if given is not None:
            yield from _wrong_upstream(path, holder, given, known)
            yield from _wrong_body(path, given)


def _wrong_upstream(
    path: KeyPath, holder: Keys, given: Keys, known: list[str]
) -> Iterator[SettingsFault]:
    name = given.text("upstream")
    if name is None:
        return
    place, path = place_of(given, ("upstream",)), (*path, "fallback", "upstream")
    if name not in known:
        message = f'no upstream is named "{name}"'
        yield SettingsFault(place, path, message, nearest(name, known))
    elif path[0] == "routes" and name == holder.text("upstream"):
        message = (
            f'"{name}" is the upstream of the route {holder.text("name") or ""} itself; '
            "name another one, or write upstream: null"
        )
        yield SettingsFault(place, path, message)


def _wrong_body(path: KeyPath, given: Keys) -> Iterator[SettingsFault]:
    """A file that cannot be read, or a body that is not what its type says."""
    file, body, kind = given.text("file"), given.text("body"), given.text("type")
    if file is None and (body is None or kind is None):
        return
    key = "body" if file is None else "file"
    place = place_of(given, (key,))
    try:
        data = (body or "").encode() if file is None else file_bytes(file)
        static_answer(200, kind or "application/octet-stream", data, EndMarkerRule())
    except OSError as error:
        message = f'"{file}" cannot be read: {error.strerror}'
        yield SettingsFault(place, (*path, "fallback", key), message)
    except ValueError as error:
        what = f'"{file}" ' if file is not None else ""
        yield SettingsFault(place, (*path, "fallback", key), f"{what}{error}")
