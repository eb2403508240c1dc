"""Groups of errors of several instances as one: what counts together is added up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proxy.diagnostics.errors.groups import Group, merged


@dataclass(frozen=True, slots=True)
class FleetGroup:
    """A group, and who has had such errors."""

    group: Group
    instances: tuple[str, ...]


FleetGroups = Mapping[str, FleetGroup]
"""By fingerprint."""


def together(found: Iterable[tuple[str, Group]]) -> dict[str, FleetGroup]:
    """One group for each fingerprint, out of pairs of an instance and its group."""
    whole: dict[str, FleetGroup] = {}
    for instance, group in sorted(found, key=_last_seen):
        _add(whole, instance, group)
    return whole


def with_own(others: FleetGroups, own: Iterable[Group], instance: str) -> dict[str, FleetGroup]:
    """Those of the others and of this process."""
    whole = dict(others)
    for group in own:
        _add(whole, instance, group)
    return whole


def _add(whole: dict[str, FleetGroup], instance: str, group: Group) -> None:
    fingerprint = group.kind.fingerprint
    before = whole.get(fingerprint)
    if before is None:
        whole[fingerprint] = FleetGroup(group, (instance,))
    else:
        names = tuple(dict.fromkeys((*before.instances, instance)))
        old, new = sorted((before.group, group), key=_seen)
        whole[fingerprint] = FleetGroup(merged(old, new), names)


def _last_seen(pair: tuple[str, Group]) -> float:
    return _seen(pair[1])


def _seen(group: Group) -> float:
    return group.last_seen
