"""What instances that share a store must have in common."""

from collections.abc import Iterator

from proxy.settings.faults import SettingsFault
from proxy.settings.schema import Settings
from proxy.settings.tree import Keys, place_of


def sharing_faults(settings: Settings, tree: Keys) -> Iterator[SettingsFault]:
    """Hashes that would differ between the instances, so that none finds another's."""
    observe = settings.observe
    if settings.store.url is None or not observe.hashes or observe.hash_key is not None:
        return
    path = ("store", "url")
    message = (
        "is shared by all instances, so observe.hash_key must be set, the same for each: "
        "the hashes of fields would not match; `openssl rand -hex 24` makes a good one"
    )
    yield SettingsFault(place_of(tree, path), path, message)
