"""What limits tell clients apart by: whether it is there, and whether it can tell them apart."""

from collections.abc import Iterator

from proxy.limits.rules import ByRequest
from proxy.observation.redaction import is_secret_name
from proxy.settings.faults import KeyPath, SettingsFault, nearest
from proxy.settings.plan import policies_and_routes
from proxy.settings.schema import ResolvedRoute
from proxy.settings.tree import Keys, Leaf, place_of


def field_faults(tree: Keys) -> Iterator[SettingsFault]:
    """Limits by a field that is not there, or that is not recorded."""
    observe = tree.section("observe")
    fields = (observe.section("fields") if observe else None) or Keys(tree.place)
    for path, by in _limits_by(tree):
        name = by.text("field")
        if name is None:
            continue
        place = by.nodes["field"].place
        if name not in fields.nodes:
            meant = nearest(name, list(fields.nodes))
            yield SettingsFault(place, path, f'no field of observe is named "{name}"', meant)
        elif _is_hidden(fields.section(name)):
            message = f'"{name}" is recorded as hidden, the same for all; set its hash: true'
            yield SettingsFault(place, path, message)


def _is_hidden(field: Keys | None) -> bool:
    """Whether its values are not recorded, because it has a secret's name."""
    if field is None or field.text("hash") == "true":
        return False
    return is_secret_name(field.text("header") or field.text("query") or "")


def _limits_by(tree: Keys) -> Iterator[tuple[KeyPath, Keys]]:
    """Every `by` that is a section, with the path of its field."""
    for path, holder in policies_and_routes(tree):
        rules: list[tuple[KeyPath, object]] = [
            *((("rate_limit", at), rule) for at, rule in enumerate(holder.items("rate_limit"))),
            (("concurrency",), holder.section("concurrency")),
        ]
        for place, rule in rules:
            by = rule.section("by") if isinstance(rule, Keys) else None
            if by is not None and isinstance(by.nodes.get("field"), Leaf):
                yield (*path, *place, "by", "field"), by


def limits_that_clients_choose(
    route: ResolvedRoute, at: int, tree: Keys
) -> Iterator[SettingsFault]:
    """Where whoever sends another value each time is never limited."""
    limits = [limit for limit in route.rate_limit if not limit.dry_run]
    if limits and all(isinstance(limit.by, ByRequest) for limit in limits):
        path = ("routes", at, "rate_limit")
        message = (
            "limits only by what clients choose: who sends another value each time is not limited; "
            "add a limit with by: address"
        )
        yield SettingsFault(place_of(tree, path), path, message)
