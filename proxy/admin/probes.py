"""Health for probes and metrics for Prometheus. Each asks a source and shows what it says."""

import asyncio

from aiohttp import web

from proxy.admin.endpoint import Operation
from proxy.admin.replies import json_reply
from proxy.admin.sources import AdminSources
from proxy.observation.exposition import render


class Probes:
    """What is open to everybody."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources
        self._render_turn = asyncio.Lock()
        """One rendering at a time: many scrapers must not fill the machine with threads."""

    def endpoints(self) -> list[Operation]:
        unready, degraded = {503: "It does not, and why."}, {503: "Degraded; the same body."}
        text = "text/plain"
        return [
            Operation("GET", "/livez", self.livez, "The process works.", "Alive"),
            Operation("GET", "/readyz", self.readyz, "Wants traffic.", "Ready", refusals=unready),
            Operation("GET", "/health", self.health, "How it is.", "Health", refusals=degraded),
            Operation("GET", "/metrics", self.metrics, "Metrics.", "Metrics", media_type=text),
            Operation("GET", "/metrics.json", self.summary, "Figures for people.", "Figures"),
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
            snapshot, exemplars = self._sources.snapshot(), self._sources.exemplars()
            body, content_type = await asyncio.to_thread(render, snapshot, accept, exemplars)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def summary(self, _: web.Request) -> web.Response:
        return json_reply(self._sources.summary())


def wants_json(accept: str) -> bool:
    """Whether an Accept header names JSON and no format of Prometheus."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    is_prometheus = "text/plain" in kinds or "application/openmetrics-text" in kinds
    return "application/json" in kinds and not is_prometheus
