"""The limits of a route: as they are set, what they decided, and whom they refuse."""

from proxy.admin.json_view import JsonObject, as_count, as_number, rows, text
from proxy.admin.pages.markup import Content, Markup, el
from proxy.admin.pages.parts import nothing, table


def limits_of(limits: JsonObject, route: str) -> Markup | None:
    """None where the route has none."""
    rates = [one for one in rows(limits, "rate_limits") if text(one, "route") == route]
    places = [one for one in rows(limits, "concurrency") if text(one, "scope") == route]
    if not rates and not places:
        return None
    shown = [*map(_rate, rates), *map(_concurrency, places)]
    heads = ("Limit", "Let in", "Refused", "Limited now", "Refused most")
    return table(heads, shown, f"Limits of {route}")


def _rate(limit: JsonObject) -> tuple[Content, ...]:
    name, rate = text(limit, "policy"), text(limit, "rate")
    words = f"{rate}, burst {as_count(limit, 'burst')}, by {text(limit, 'by')}"
    dry = " (dry run: refuses nobody)" if limit.get("dry_run") else ""
    return (
        [name, el("small", " ", words, dry)],
        as_count(limit, "allowed"),
        as_count(limit, "refused"),
        _clients(rows(limit, "limited_now"), "retry_in_seconds"),
        _clients(rows(limit, "refused_most"), "refused"),
    )


def _concurrency(places: JsonObject) -> tuple[Content, ...]:
    words = f"{as_count(places, 'in_use')} under way, {as_count(places, 'waiting')} waiting"
    limit, own = places.get("limit"), places.get("per_client")
    set_to = [f"{limit} in all" if limit else "", f"{own} a client" if own else ""]
    shown = ", ".join(filter(None, [*set_to, f"by {text(places, 'by')}"]))
    most = _clients(rows(places, "refused_most"), "refused")
    return (["concurrency", el("small", f" {shown}: {words}")], "", "", "", most)


def _clients(clients: list[JsonObject], key: str) -> Content:
    if not clients:
        return nothing("Nobody.")
    unit = " s" if key == "retry_in_seconds" else ""
    return el(
        "ol",
        [
            el("li", el("code", text(one, "client")), f" {as_number(one, key) or 0:.0f}{unit}")
            for one in clients
        ],
    )
