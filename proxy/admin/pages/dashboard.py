"""The pages of the dashboard: each asks the sources and shows what they say."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Final
from urllib.parse import quote

from aiohttp import web

from proxy.admin.api.errors import NO_GROUP
from proxy.admin.api.stories import ALL
from proxy.admin.guard import AdminRefusal
from proxy.admin.json_view import part, text
from proxy.admin.pages.alerts import alerts_page
from proxy.admin.pages.entry import refusal_page, see
from proxy.admin.pages.errors import errors_page, group_page
from proxy.admin.pages.frame import html_page, html_reply, search
from proxy.admin.pages.markup import Markup, el
from proxy.admin.pages.missing import missing_page
from proxy.admin.pages.overview import overview
from proxy.admin.pages.request import request_page
from proxy.admin.pages.requests import requests_page
from proxy.admin.pages.routes import routes_page
from proxy.admin.pages.runbook import runbook_page
from proxy.admin.parameters import query_of
from proxy.admin.replies import NOT_FOUND
from proxy.admin.sources import AdminSources
from proxy.clock import wall
from proxy.diagnostics.stories.grouping import MOST_COUNTED
from proxy.diagnostics.stories.runbooks import RUNBOOKS

_PAGE: Final = "50"
_TYPES: Final = {"style.css": "text/css", "page.js": "text/javascript"}
ASSET_FILES: Final[Mapping[str, str]] = {
    name: resources.files("proxy.admin").joinpath("assets", name).read_text(encoding="utf-8")
    for name in _TYPES
}


class Dashboard:
    """Nothing is changed from here but by the API."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.overview),
            web.get("/live", self.live),
            web.get("/requests", self.requests),
            web.get("/requests/{id}", self.request),
            web.get("/errors", self.errors),
            web.get("/errors/{fingerprint}", self.error),
            web.get("/alerts", self.alerts),
            web.get("/routes", self.routes_),
            web.get("/runbooks/{key}", self.runbook),
            web.get("/assets/{name}", self.asset),
        ]

    async def overview(self, request: web.Request) -> web.Response:
        hero = el("div", search(), class_="hero")
        return html_page(request, "Overview", hero, self._overview(), here="/", is_live=True)

    async def live(self, _: web.Request) -> web.Response:
        """The part of the overview that changes, for scripts."""
        return html_reply(self._overview())

    def _overview(self) -> Markup:
        kept, at = self._sources.diagnostics, wall()
        return overview(self._sources.live(), kept.alerts(at), kept.errors(at), kept.store_state())

    async def requests(self, request: web.Request) -> web.Response:
        given = {name: value.strip() for name, value in request.query.items()}
        if wanted := given.get("id"):
            return see(f"/requests/{quote(wanted, safe='')}")
        asked = {"limit": _PAGE, **{name: value for name, value in given.items() if name != "id"}}
        found = query_of(asked.items(), wall())
        is_wrong = isinstance(found, list)
        kept = self._sources.diagnostics
        if not isinstance(found, list) and found.group is not None:
            found = replace(found, limit=MOST_COUNTED)
        listed = found if isinstance(found, list) else await kept.stories(found)
        observed = part(part(self._sources.config(), "observe"), "fields")
        shown = requests_page(listed, given, list(observed))
        return html_page(
            request, "Requests", shown, here="/requests", status=400 if is_wrong else 200
        )

    async def request(self, request: web.Request) -> web.Response:
        request_id = request.match_info["id"].strip()
        across = request.query.get("instances") == ALL
        found = await self._sources.diagnostics.story(request_id, across=across)
        if not found.stories:
            status = 503 if found.store == "failing" else 404
            shown = missing_page(found)
            return html_page(request, "Not found", shown, here="/requests", status=status)
        title = f"Request {text(found.stories[0], 'request_id')}"
        return html_page(request, title, request_page(found), here="/requests")

    async def errors(self, request: web.Request) -> web.Response:
        return html_page(
            request, "Errors", errors_page(self._sources.diagnostics.errors(wall())), here="/errors"
        )

    async def error(self, request: web.Request) -> web.Response:
        group = self._sources.diagnostics.error(request.match_info["fingerprint"], wall())
        if group is None:
            return refusal_page(request, NO_GROUP)
        return html_page(request, "Error", group_page(group, wall()), here="/errors")

    async def alerts(self, request: web.Request) -> web.Response:
        return html_page(
            request, "Alerts", alerts_page(self._sources.diagnostics.alerts(wall())), here="/alerts"
        )

    async def routes_(self, request: web.Request) -> web.Response:
        told = self._sources
        shown = routes_page(told.routes(), told.breakers(), told.limits())
        return html_page(request, "Routes", shown, here="/routes")

    async def runbook(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        runbook = RUNBOOKS.get(key)
        if runbook is None:
            return refusal_page(
                request, AdminRefusal(404, "runbook_not_found", "No runbook has this name.")
            )
        return html_page(request, f"Runbook {key}", runbook_page(key, runbook))

    async def asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in ASSET_FILES:
            return refusal_page(request, NOT_FOUND)
        return web.Response(text=ASSET_FILES[name], content_type=_TYPES[name])
