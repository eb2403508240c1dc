"""`/api/errors`: failures grouped by what makes two of them the same."""

from typing import Final

from aiohttp import web

from proxy.admin.endpoint import Operation, Parameter
from proxy.admin.guard import AdminRefusal
from proxy.admin.replies import json_reply, refusal_reply
from proxy.admin.sources import AdminSources
from proxy.clock import wall
from proxy.diagnostics.errors.groups import GroupOrder

NO_GROUP: Final = AdminRefusal(404, "error_not_found", "No group of errors has this fingerprint.")

_ORDERS: Final[dict[GroupOrder, str]] = {
    "mute": "Show a group apart from the others, however often it comes.",
    "unmute": "Show it among the others again.",
    "resolve": "Say that a group is over: it comes back with the next error of its kind.",
}


class ErrorsApi:
    """Reads the diagnostics."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources

    def endpoints(self) -> list[Operation]:
        return [
            Operation(
                "GET", "/api/errors", self.listed,
                "Groups of errors, newest first, and the last 24 hours in figures.", "Errors",
            ),
            Operation(
                "GET", "/api/errors/{fingerprint}", self.one,
                "One group; with the stack trace where the fault is our own.", "ErrorGroup",
                parameters=(Parameter("fingerprint", "Twelve hexadecimal digits."),),
                refusals={404: NO_GROUP.message},
            ),
            *(self._order(order, meaning) for order, meaning in _ORDERS.items()),
        ]  # fmt: skip

    def _order(self, order: GroupOrder, meaning: str) -> Operation:
        async def obey(request: web.Request) -> web.Response:
            kept, name = self._sources.diagnostics, request.match_info["fingerprint"]
            if not kept.order_error(name, order):
                return refusal_reply(NO_GROUP)
            return json_reply(kept.error(name, wall()))

        return Operation(
            "POST", f"/api/errors/{{fingerprint}}/{order}", obey, meaning, "ErrorGroup",
            parameters=(Parameter("fingerprint", "Twelve hexadecimal digits."),), takes="Empty",
            refusals={404: NO_GROUP.message},
        )  # fmt: skip

    async def listed(self, _: web.Request) -> web.Response:
        return json_reply(self._sources.diagnostics.errors(wall()))

    async def one(self, request: web.Request) -> web.Response:
        group = self._sources.diagnostics.error(request.match_info["fingerprint"], wall())
        return refusal_reply(NO_GROUP) if group is None else json_reply(group)
