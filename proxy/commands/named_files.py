"""Looks into the files that settings name, before anything listens."""

from collections.abc import Iterator
from typing import Final

from proxy.commands.tls_files import look_into_tls
from proxy.diagnostics.stories.store_files import wrong_files
from proxy.settings.faults import KeyPath, SettingsFault
from proxy.settings.schema import Settings

_URL: Final[KeyPath] = ("store", "url")


def look_into_files(settings: Settings) -> list[str]:
    """Warnings. Raises SettingsError where files cannot be used that traffic needs."""
    return [*look_into_tls(settings), *_of_store(settings)]


def _of_store(settings: Settings) -> Iterator[str]:
    """They may be there by the time that they are needed."""
    url = settings.store.url
    for message in wrong_files(url.get_secret_value()) if url is not None else ():
        yield str(SettingsFault(settings.place_of(_URL), _URL, message))
