"""The pages of the admin port. Each asks a source and shows what it says."""

import asyncio
import dataclasses

from aiohttp import web

from proxy.admin.guard import Refusal
from proxy.admin.replies import json_reply, refusal_reply
from proxy.admin.sources import AdminSources
from proxy.observation.exposition import render
from proxy.observation.redaction import redact_tree
from proxy.outcome import OUTCOMES


class Pages:
    """GET and HEAD of everything there is."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources
        self._render_turn = asyncio.Lock()
        """One rendering at a time: many scrapers must not fill the machine with threads."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/livez", self.livez),
            web.get("/readyz", self.readyz),
            web.get("/health", self.health),
            web.get("/metrics", self.metrics),
            web.get("/metrics.json", self.summary),
            web.get("/api/config", self.config),
            web.get("/api/codes/{code}", self.code),
        ]

    async def livez(self, _: web.Request) -> web.Response:
        return json_reply({"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        is_ready, reason = self._sources.ready()
        if is_ready:
            return json_reply({"ready": True})
        return json_reply({"ready": False, "reason": reason}, 503)

    async def health(self, _: web.Request) -> web.Response:
        view = self._sources.health()
        return json_reply(view.body(), 200 if view.status == "ok" else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        if wants_json(accept):
            return await self.summary(request)
        async with self._render_turn:
            snapshot = self._sources.snapshot()
            body, content_type = await asyncio.to_thread(render, snapshot, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def summary(self, _: web.Request) -> web.Response:
        return json_reply(self._sources.summary())

    async def config(self, _: web.Request) -> web.Response:
        return json_reply(redact_tree(dict(self._sources.config())))

    async def code(self, request: web.Request) -> web.Response:
        outcome = OUTCOMES.get(request.match_info["code"])
        if outcome is None:
            return refusal_reply(Refusal(404, "code_not_found", "No outcome has this code."))
        return json_reply({**dataclasses.asdict(outcome), "is_error": outcome.is_error})


def wants_json(accept: str) -> bool:
    """Whether an Accept header names JSON and no format of Prometheus."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    is_prometheus = "text/plain" in kinds or "application/openmetrics-text" in kinds
    return "application/json" in kinds and not is_prometheus
