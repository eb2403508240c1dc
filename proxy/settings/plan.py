"""Resolves settings: policies under routes, and references that must exist.

Works on the tree, so that every fault has its place and none hides behind another.
"""

from collections.abc import Iterator

from proxy.settings import syntax
from proxy.settings.faults import KeyPath, SettingsFault, nearest
from proxy.settings.schema import Policy
from proxy.settings.tree import Items, Keys, Leaf, Node, overlay, place_of
from proxy.settings.twins import twin_faults


def spread(tree: Keys, shipped: Keys) -> Keys:
    """The tree with shipped policies under written ones, and policies and CORS under routes.

    Routes come last: a fault that one of them inherits is then found where it was written first.
    """
    whole = Keys(tree.place, dict(tree.nodes), dict(tree.key_places))
    policies = overlay(shipped, tree.nodes.get("policies"))
    whole.put("policies", policies or shipped, tree.key_places.get("policies", tree.place))
    listed = whole.nodes.pop("routes", None)
    if isinstance(listed, Items):
        listed = Items(listed.place, [_over_policy(route, whole) for route in listed.nodes])
    if listed is not None:
        whole.nodes["routes"] = listed
    return whole


def _over_policy(route: Node, whole: Keys) -> Node:
    if not isinstance(route, Keys):
        return route
    policies = whole.section("policies")
    named = policies.section(route.text("policy") or "default") if policies else None
    known = (
        {key: named.nodes[key] for key in named.nodes if key in Policy.model_fields}
        if named
        else {}
    )
    below = Keys(route.place, known, {key: node.place for key, node in known.items()})
    if "cors" in whole.nodes:
        below.put("cors", whole.nodes["cors"], whole.key_places["cors"])
    merged = overlay(below, route)
    cors = route.nodes.get("cors")
    if isinstance(merged, Keys) and isinstance(cors, Leaf):
        merged.nodes["cors"] = cors  # said to be none: nothing of the common rule remains
    return merged or route


def plan_faults(tree: Keys, shipped: Keys) -> Iterator[SettingsFault]:
    """Everything that is wrong between the parts of a tree that was not yet spread."""
    yield from _same_names(tree)
    yield from twin_faults(tree)
    upstreams, policies = tree.section("upstreams"), tree.section("policies")
    known = list(upstreams.nodes if upstreams else ())
    yield from _unknown(tree, "upstream", known)
    known = [*shipped.nodes, *(policies.nodes if policies else ())]
    yield from _unknown(tree, "policy", known)
    yield from _not_prefixes(tree)
    yield from _bad_origins(tree)
    yield from _same_port(tree)


def policies_and_routes(tree: Keys) -> Iterator[tuple[KeyPath, Keys]]:
    """Every section that may have the keys of a policy, with its path."""
    policies = tree.section("policies")
    for name, policy in (policies.nodes if policies else {}).items():
        if isinstance(policy, Keys):
            yield ("policies", name), policy
    yield from _routes(tree)


def _routes(tree: Keys) -> Iterator[tuple[KeyPath, Keys]]:
    for at, route in enumerate(tree.items("routes")):
        if isinstance(route, Keys):
            yield ("routes", at), route


def _same_names(tree: Keys) -> Iterator[SettingsFault]:
    """Routes that share their name with an earlier one."""
    seen: dict[str, Keys] = {}
    for path, route in _routes(tree):
        name = route.text("name")
        earlier = seen.setdefault(name, route) if name else route
        if earlier is not route:
            there = place_of(earlier, ("name",))
            message = f"a route with this name is at {there} already"
            yield SettingsFault(place_of(route, ("name",)), (*path, "name"), message)


def _unknown(tree: Keys, key: str, known: list[str]) -> Iterator[SettingsFault]:
    for path, route in _routes(tree):
        name = route.text(key)
        if name is not None and name not in known:
            message = f'no {key} is named "{name}"'
            yield SettingsFault(
                place_of(route, (key,)), (*path, key), message, nearest(name, known)
            )


def _not_prefixes(tree: Keys) -> Iterator[SettingsFault]:
    for path, route in _routes(tree):
        strip, match = route.text("strip_prefix"), route.section("match")
        matched = (match.text("path") if match else None) or "/"
        if strip and not strip.endswith("/") and not f"{matched}/".startswith(f"{strip}/"):
            place = place_of(route, ("strip_prefix",))
            message = f'"{strip}" does not begin the path "{matched}" of this route'
            yield SettingsFault(place, (*path, "strip_prefix"), message)


def _bad_origins(tree: Keys) -> Iterator[SettingsFault]:
    holders = [((), tree), *_routes(tree)]
    for path, holder in holders:
        cors = holder.section("cors")
        for at, node in enumerate(cors.items("origins") if cors else ()):
            try:
                if isinstance(node, Leaf) and not node.broken:
                    syntax.origin(node.text)
            except ValueError as error:
                yield SettingsFault(node.place, (*path, "cors", "origins", at), str(error))


def _same_port(tree: Keys) -> Iterator[SettingsFault]:
    listen, admin = tree.section("listen"), tree.section("admin")
    traffic = (listen.text("port") if listen else None) or "8080"
    port = (admin.text("port") if admin else None) or "8081"
    if traffic == port != "0":
        place = place_of(tree, ("admin", "port") if admin else ("listen", "port"))
        yield SettingsFault(place, ("admin", "port"), f"{port} is the traffic port already")
