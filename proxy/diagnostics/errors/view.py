"""Errors as they are shown: of this process, and of all instances where a store knows them."""

from collections.abc import Callable

from proxy.diagnostics.errors.fleet import FleetGroup, FleetGroups, with_own
from proxy.diagnostics.errors.groups import Groups
from proxy.diagnostics.errors.shown import errors_json, group_json, summary

Others = Callable[[], FleetGroups | None]
"""Groups of other instances; None where there is nothing by which to know them."""


class ErrorsView:
    """Reads `groups`; changes nothing."""

    def __init__(self, groups: Groups, instance: str, others: Others) -> None:
        self._groups, self._instance, self._others = groups, instance, others

    def all(self, wall: float) -> dict[str, object]:
        """All groups of errors, the latest first, and the summary of a day."""
        others = self._others()
        own = self._groups.newest_first()
        if others is None:
            return errors_json(own, wall)
        whole = sorted(with_own(others, own, self._instance).values(), key=_last_seen, reverse=True)
        return {
            "groups": [_shown(one, wall) for one in whole],
            "summary": summary((one.group for one in whole), wall),
        }

    def one(self, fingerprint: str, wall: float) -> dict[str, object] | None:
        """One group, with the stack trace if it is a fault of ours."""
        others, own = self._others(), self._groups.get(fingerprint)
        if others is None:
            return group_json(own, wall, with_trace=True) if own is not None else None
        other = others.get(fingerprint)
        known = {fingerprint: other} if other is not None else {}
        found = with_own(known, [own] if own is not None else [], self._instance).get(fingerprint)
        return _shown(found, wall, with_trace=True) if found is not None else None


def _shown(one: FleetGroup, wall: float, *, with_trace: bool = False) -> dict[str, object]:
    return {
        **group_json(one.group, wall, with_trace=with_trace),
        "instances": list(one.instances),
    }


def _last_seen(one: FleetGroup) -> float:
    return one.group.last_seen
