"""What is odd in settings but not wrong: said as a warning, and nothing is refused."""

from collections.abc import Iterator

from proxy.knobs import as_duration
from proxy.settings.faults import SettingsFault, in_order, nearest
from proxy.settings.limiting import limits_that_clients_choose
from proxy.settings.schema import ResolvedRoute, Settings
from proxy.settings.tree import Keys, place_of
from proxy.streams.rules import StreamRule

_METHODS = (
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH ACL BASELINE-CONTROL BIND CHECKIN "
    "CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE "
    "MOVE ORDERPATCH PRI PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK "
    "UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL M-SEARCH NOTIFY PURGE SUBSCRIBE UNSUBSCRIBE"
)
"""The registry of HTTP methods (IANA), then what UPnP and caches use."""
_USUAL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def warnings(settings: Settings, tree: Keys) -> list[str]:
    """The warnings, each with its place in the tree, in the order of the file."""
    found = [
        fault
        for at, route in enumerate(settings.routes)
        for check in (_unknown_methods, _unreachable_limits, limits_that_clients_choose)
        for fault in check(route, at, tree)
    ]
    return [str(fault) for fault in in_order([*found, *_more_clients_than_slots(settings, tree)])]


def _more_clients_than_slots(settings: Settings, tree: Keys) -> Iterator[SettingsFault]:
    """A stream holds its connection to the upstream for as long as it lasts."""
    streams = [route.name for route in settings.routes if _is_for_streams(route)]
    slots = sum(upstream.pool.size for upstream in settings.upstreams.values())
    clients = settings.listen.max_connections
    if streams and clients > slots:
        path = ("listen", "max_connections")
        message = (
            f"{clients} clients may be connected, and {_names(streams)}, but all pools "
            f"together have {slots} connections: one stream more ends as pool_timeout; "
            "raise upstreams.*.pool.size, or lower listen.max_connections"
        )
        yield SettingsFault(place_of(tree, path), path, message)


def _is_for_streams(route: ResolvedRoute) -> bool:
    return route.policy == "streamed-chat" or route.stream != StreamRule()


def _names(routes: list[str]) -> str:
    return f"the route {routes[0]} streams" if len(routes) == 1 else "several routes stream"


def _unknown_methods(route: ResolvedRoute, at: int, tree: Keys) -> Iterator[SettingsFault]:
    known = _METHODS.split()
    for index, method in enumerate(route.match.methods):
        if method not in known:
            path = ("routes", at, "match", "methods", index)
            meant = nearest(method, _USUAL) or nearest(method, known)
            yield SettingsFault(place_of(tree, path), path, f"{method} is no method of HTTP", meant)


def _unreachable_limits(route: ResolvedRoute, at: int, tree: Keys) -> Iterator[SettingsFault]:
    head, total = route.timeouts.head, route.timeouts.total
    if total < head:
        path = ("routes", at, "timeouts", "total")
        message = f"{as_duration(total)} is below head, {as_duration(head)}, which is never reached"
        yield SettingsFault(place_of(tree, path), path, message)
