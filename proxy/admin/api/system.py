"""The rest of the API: settings, routes, codes, what runs now, and the drain."""

import dataclasses
from typing import Final

from aiohttp import web

from proxy.admin.endpoint import Operation, Parameter
from proxy.admin.guard import AdminRefusal
from proxy.admin.replies import json_reply, refusal_reply
from proxy.admin.sources import AdminSources
from proxy.diagnostics.stories.runbooks import CODES
from proxy.observation.redaction import redact_tree
from proxy.outcome import OUTCOMES

NO_CODE: Final = AdminRefusal(404, "code_not_found", "No outcome has this code.")
NO_RELOAD: Final = AdminRefusal(
    404, "not_reloaded", "The settings have not been read again since the start."
)
RELOAD_REJECTED: Final = AdminRefusal(
    422, "config_rejected", "The settings are wrong; those before stay in force. See faults."
)
RELOAD_REFUSED: Final = AdminRefusal(
    409, "reload_refused", "The settings were not looked at; reason says why."
)
NO_DRAIN: Final = AdminRefusal(
    409, "drain_not_possible", "It drains already, or nobody here can end this process."
)


class SystemApi:
    """Shows what sources say; starts the drain."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources

    def endpoints(self) -> list[Operation]:
        return [
            Operation("GET", "/api/config", self.config, "Settings, secrets redacted.", "Config"),
            Operation("GET", "/api/routes", self.routes, "Routes and their limits.", "Routes"),
            Operation(
                "GET", "/api/limits", self.limits,
                "Limits: what they decided, who is limited now and was refused most.", "Limits",
            ),
            Operation(
                "GET", "/api/codes/{code}", self.code, "What a code means, and its runbook.",
                "Code", parameters=(Parameter("code", "Of an outcome."),),
                refusals={404: NO_CODE.message},
            ),
            Operation(
                "GET", "/api/live", self.live,
                "What runs now, and the last five minutes in slots of ten seconds.", "Live",
            ),
            Operation(
                "GET", "/reload", self.last_reload, "What came of the last reload.", "Reload",
                refusals={404: NO_RELOAD.message},
            ),
            Operation(
                "POST", "/reload", self.reload, "Read the settings again.", "Reload",
                takes="Empty",
                refusals={409: RELOAD_REFUSED.message, 422: RELOAD_REJECTED.message},
            ),
            Operation("GET", "/drain", self.drain, "How far a drain has come.", "Drain"),
            Operation(
                "POST", "/drain", self.start_drain, "Take nothing new, let answers end, and end.",
                "Drain", 202, takes="Empty", refusals={409: NO_DRAIN.message},
            ),
        ]  # fmt: skip

    async def config(self, _: web.Request) -> web.Response:
        return json_reply(redact_tree(dict(self._sources.config())))

    async def routes(self, _: web.Request) -> web.Response:
        return json_reply({"routes": self._sources.routes()})

    async def limits(self, _: web.Request) -> web.Response:
        return json_reply(self._sources.limits())

    async def code(self, request: web.Request) -> web.Response:
        outcome = OUTCOMES.get(request.match_info["code"])
        if outcome is None:
            return refusal_reply(NO_CODE)
        runbook = dataclasses.asdict(CODES[outcome.code])
        body = {**dataclasses.asdict(outcome), "is_error": outcome.is_error, "runbook": runbook}
        return json_reply(body)

    async def live(self, _: web.Request) -> web.Response:
        return json_reply(self._sources.live().body())

    async def last_reload(self, _: web.Request) -> web.Response:
        last = self._sources.last_reload()
        return json_reply(last.body()) if last is not None else refusal_reply(NO_RELOAD)

    async def reload(self, _: web.Request) -> web.Response:
        report = await self._sources.reload("POST /reload")
        if report.result == "loaded":
            return json_reply(report.body())
        refusal = RELOAD_REJECTED if report.result == "rejected" else RELOAD_REFUSED
        return refusal_reply(refusal, more=report.body())

    async def drain(self, _: web.Request) -> web.Response:
        return json_reply(self._sources.drain_view())

    async def start_drain(self, _: web.Request) -> web.Response:
        if not self._sources.start_drain():
            return refusal_reply(NO_DRAIN)
        return json_reply(self._sources.drain_view(), 202)
