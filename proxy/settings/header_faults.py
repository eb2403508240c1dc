"""Header rules that touch what is not for rules, or that contradict each other."""

from collections.abc import Iterator

from proxy.http.header_names import IDENTITY, refuse_name
from proxy.settings.faults import KeyPath, Place, SettingsFault
from proxy.settings.plan import policies_and_routes
from proxy.settings.tree import Keys, Leaf


def header_faults(tree: Keys) -> Iterator[SettingsFault]:
    """What is wrong with names of headers, each at its place; values are the models' business."""
    identity = tree.section("identity")
    own = ((identity.text("header") if identity else None) or "X-Request-ID").lower()
    for path, holder in policies_and_routes(tree):
        headers = holder.section("headers")
        for way in ("request", "response"):
            rules = headers.section(way) if headers else None
            if rules is not None:
                where = (*path, "headers", way)
                yield from _faults_of(rules, where, own, of_requests=way == "request")


def _faults_of(
    rules: Keys, path: KeyPath, own: str, *, of_requests: bool
) -> Iterator[SettingsFault]:
    seen: dict[str, str] = {}
    for action, key, name, place in _named(rules):
        lower, where = name.lower(), (*path, action, key)
        why = refuse_name(name, of_requests=of_requests, removed=action == "remove")
        if why is None and lower == own:
            why = f"{IDENTITY}; no rule may touch it"
        if why is None and action != "add":
            earlier = seen.setdefault(lower, action)
            if action == "remove" and earlier == "set":
                why = "is set as well, which replaces it; leave it out here"
            elif f"{action} {lower}" in seen:
                why = "is there already, in other letters"
            seen[f"{action} {lower}"] = action
        if why is not None:
            yield SettingsFault(place, where, why)


def _named(rules: Keys) -> Iterator[tuple[str, str | int, str, Place]]:
    """Action, key and name of each header, with its place."""
    for action in ("set", "add"):
        fields = rules.section(action)
        for name in fields.nodes if fields else ():
            yield action, name, name, fields.key_places[name] if fields else rules.place
    for at, node in enumerate(rules.items("remove")):
        if isinstance(node, Leaf) and not node.broken:
            yield "remove", at, node.text, node.place
