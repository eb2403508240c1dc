"""`/api/alerts`: what is or was raised; silences and tests."""

from typing import Final

from aiohttp import web

from proxy.admin.endpoint import Operation, Parameter
from proxy.admin.guard import AdminRefusal
from proxy.admin.parameters import fault, silence_until
from proxy.admin.replies import faults_reply, json_body, json_reply, refusal_reply
from proxy.admin.sources import AdminSources
from proxy.clock import iso, wall

NO_RULE: Final = AdminRefusal(404, "rule_not_found", "No alert rule has this name.")


class AlertsApi:
    """Reads the diagnostics; a silence lives as long as the process."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources

    def endpoints(self) -> list[Operation]:
        return [
            Operation(
                "GET", "/api/alerts", self.listed,
                "Alerts that are raised, then those cleared in the last 24 hours.", "Alerts",
            ),
            Operation(
                "POST", "/api/alerts/test", self.test,
                "Send a test alert to every receiver and say how each took it.", "AlertTest",
                takes="Empty",
            ),
            Operation(
                "POST", "/api/alerts/{rule}/silence", self.silence,
                "Send nothing of this rule for a while; it is still shown.", "Silence",
                parameters=(Parameter("rule", "Name of the alert rule."),), takes="SilenceFor",
                refusals={400: "The body is wrong.", 404: NO_RULE.message},
            ),
        ]  # fmt: skip

    async def listed(self, _: web.Request) -> web.Response:
        return json_reply({"alerts": self._sources.diagnostics.alerts(wall())})

    async def test(self, _: web.Request) -> web.Response:
        return json_reply({"results": await self._sources.diagnostics.alert_test()})

    async def silence(self, request: web.Request) -> web.Response:
        body = await json_body(request)
        if body is None:
            return faults_reply([fault("body", "", 'a JSON object such as {"for": "1h"}')])
        rule, at = request.match_info["rule"], wall()
        until = silence_until(body, at)
        if isinstance(until, list):
            return faults_reply(until)
        until = until if until > at else 0
        if not self._sources.diagnostics.silence(rule, until):
            return refusal_reply(NO_RULE)
        return json_reply({"rule": rule, "silenced_until": iso(until) if until else None})
