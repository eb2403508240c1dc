"""Settings from a file, the environment or one upstream: read, checked, and put together.

All faults are found in one go; nothing is taken from settings that have one.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from proxy.settings import addresses, doubts, plan
from proxy.settings.environment import Overrides
from proxy.settings.fallbacks import fallback_faults
from proxy.settings.faults import Place, SettingsError, SettingsFault
from proxy.settings.header_faults import header_faults
from proxy.settings.hiding import hidden
from proxy.settings.limiting import field_faults
from proxy.settings.reading import read
from proxy.settings.schema import Settings, shape
from proxy.settings.shipped import shipped
from proxy.settings.tree import Items, Keys, Leaf, Origin
from proxy.settings.unfolding import unfold
from proxy.settings.values import Values
from proxy.settings.wording import faults_of

LARGEST = 256 * 1024
"""Bytes of a settings file: a hundred routes need a tenth of it."""

_HASHES_CHANGE = (
    "observe.hash_key is not set and there is no store to keep one beside: "
    "hashes of fields change with every start"
)

_CATCH_ALL = """
upstreams: { upstream: { endpoints: [] } }
routes: [{ name: all, match: { path: / }, upstream: upstream }]
"""


def load(path: Path | None, env: Mapping[str, str], upstream: str | None = None) -> Settings:
    """The settings of a file, or of one upstream, with the environment laid over them.

    Raises SettingsError with everything that is wrong.
    """
    if path is not None and upstream is not None:
        raise _error(str(path), "give a settings file or --upstream, not both")
    if upstream is not None:
        return from_upstream(upstream, env)
    if path is not None:
        return parse(settings_text(path), env, source=str(path))
    return _settings(Keys(Place("settings")), [], env)


def from_upstream(url: str, env: Mapping[str, str] | None = None) -> Settings:
    """Settings without a file: every request goes to `url`. Raises SettingsError."""
    tree, _ = read(_CATCH_ALL, "--upstream", {})
    place = Place("--upstream")
    upstreams = tree.section("upstreams")
    named = upstreams.section("upstream") if upstreams else None
    if named:
        named.put("endpoints", Items(place, [Leaf(url, place, quoted=True)]), place)
    return _settings(tree, [], env or {})


def parse(text: str, env: Mapping[str, str] | None = None, source: str = "settings") -> Settings:
    """The settings of a text, `source` being its name in faults. Raises SettingsError."""
    tree, faults = read(text, source, env or {})
    return _settings(tree, faults, env or {})


def settings_text(path: Path) -> str:
    """The text of a file, a byte order mark left out. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _error(str(path), f"cannot be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise _error(str(path), f"is larger than {LARGEST // 1024}KiB; this is no settings file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _error(str(path), f"is not UTF-8 text: byte {error.start + 1}") from None


def _settings(tree: Keys, faults: list[SettingsFault], env: Mapping[str, str]) -> Settings:
    overrides = Overrides(tree, shipped())
    overrides.lay(env)
    faults = [*faults, *overrides.faults]
    if not tree.nodes:
        raise SettingsError(map(hidden, faults or [_none_at_all(tree)]))
    faults += unfold(tree, shape())
    faults += plan.plan_faults(tree, shipped())
    faults += field_faults(tree)
    faults += header_faults(tree)
    faults += addresses.address_faults(tree)
    whole = plan.spread(tree, shipped())
    faults += fallback_faults(whole)
    values = Values()
    plain = values.of(whole, shape())
    faults += values.faults
    try:
        settings = Settings.model_validate(plain)
    except ValidationError as error:
        faults += faults_of(error, whole, values.broken)
        raise SettingsError(map(hidden, faults)) from None
    if faults:
        raise SettingsError(map(hidden, faults))
    settings._origin = Origin(whole)
    settings._warnings = (
        *overrides.warnings,
        *doubts.warnings(settings, whole),
        *_warnings(settings),
    )
    return settings


def _warnings(settings: Settings) -> tuple[str, ...]:
    """What is odd between the parts of good settings."""
    observe = settings.observe
    is_lost = observe.hashes and observe.hash_key is None and settings.store.path is None
    return (_HASHES_CHANGE,) if is_lost else ()


def _none_at_all(tree: Keys) -> SettingsFault:
    return SettingsFault(
        tree.place, (), "there are none; give a file, or one upstream by --upstream URL"
    )


def _error(source: str, message: str) -> SettingsError:
    return SettingsError([SettingsFault(Place(source), (), message)])
