"""`/api/breakers`: the circuits, and orders to them."""

from typing import Final

from aiohttp import web

from proxy.admin.endpoint import Answerer, Operation, Parameter
from proxy.admin.guard import AdminRefusal
from proxy.admin.replies import json_reply, refusal_reply
from proxy.admin.sources import AdminSources, Order

_REFUSED: Final = {
    "route_not_found": AdminRefusal(404, "route_not_found", "No route has this name."),
    "breaker_disabled": AdminRefusal(
        409, "breaker_disabled", "This route has no breaker: breaker.enabled is false."
    ),
}
_ORDERS: Final[dict[Order, str]] = {
    "open": "Refuse all attempts of the route now; after the cool-down it is probed as usual.",
    "close": "Let traffic flow again; does nothing to a closed circuit.",
    "reset": "Close the circuit and forget everything that was counted.",
}


class BreakersApi:
    """Every order is logged as an event with the cause `manual`."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources

    def endpoints(self) -> list[Operation]:
        return [
            Operation(
                "GET", "/api/breakers", self.listed, "The circuit of every route.", "Breakers"
            ),
            *(self._order(order, meaning) for order, meaning in _ORDERS.items()),
        ]

    def _order(self, order: Order, meaning: str) -> Operation:
        return Operation(
            "POST", f"/api/breakers/{{route}}/{order}", self._obey(order), meaning, "Breaker",
            parameters=(Parameter("route", "Name of the route."),), takes="Empty",
            refusals={refusal.status: refusal.message for refusal in _REFUSED.values()},
        )  # fmt: skip

    async def listed(self, _: web.Request) -> web.Response:
        return json_reply({"breakers": self._sources.breakers()})

    def _obey(self, order: Order) -> Answerer:
        async def obey(request: web.Request) -> web.Response:
            route = request.match_info["route"]
            reason = self._sources.order_breaker(route, order)
            if reason is not None:
                return refusal_reply(_REFUSED[reason])
            views = self._sources.breakers()
            return json_reply(next(view for view in views if view.get("route") == route))

        return obey
