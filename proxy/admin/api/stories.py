"""`/api/requests`: the stories of exchanges, by Reference ID or by what they have in common."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from proxy.admin.endpoint import Operation, Parameter
from proxy.admin.guard import AdminRefusal
from proxy.admin.parameters import LONGEST_WAIT, MOST, fault, followed_of, query_of
from proxy.admin.replies import faults_reply, json_reply, refusal_reply
from proxy.admin.sources import AdminSources
from proxy.clock import wall
from proxy.diagnostics.stories.grouping import COLUMNS, MOST_COUNTED, grouped
from proxy.observation.redaction import redact
from proxy.outcome import OUTCOMES

ALL: Final = "all"
NO_STORY: Final = AdminRefusal(
    404, "story_not_found", "No story is kept under this ID: too old, sampled away, or not ours."
)
STORE_SILENT: Final = AdminRefusal(
    503, "store_unreadable", "It is not in memory, and the store cannot be read at the moment."
)


def no_story(why: str) -> AdminRefusal:
    """The same with the reason, where it is known."""
    return AdminRefusal(NO_STORY.status, NO_STORY.code, why or NO_STORY.message)


_TIME: Final = "a time such as 2026-11-22T03:00:00Z, seconds since 1970, or an age such as 15m"


class StoriesApi:
    """Reads the diagnostics."""

    def __init__(self, sources: AdminSources) -> None:
        self._sources = sources

    def endpoints(self) -> list[Operation]:
        return [
            Operation(
                "GET", "/api/requests", self.listed, "Exchanges that ended, newest first.",
                "Summaries", parameters=_PARAMETERS, refusals={400: "A parameter is wrong."},
            ),
            Operation(
                "GET", "/api/tail", self.tail,
                "Exchanges that ended after a cursor, oldest first, as soon as there is one.",
                "Followed", parameters=(*_FOLLOWED, *_PARAMETERS),
                refusals={400: "A parameter is wrong."},
            ),
            Operation(
                "GET", "/api/requests/{id}", self.one,
                "The whole story of an exchange, and of others under the same ID.", "Stories",
                parameters=(
                    Parameter("id", "The Reference ID, one of the client's, of the upstream's or "
                              "of the trace; or its first 8 characters or more."),
                    _INSTANCES,
                ),
                refusals={
                    400: "A parameter is wrong.", 404: NO_STORY.message, 503: STORE_SILENT.message,
                },
            ),
            Operation(
                "GET", "/api/requests/{id}/against", self.against,
                "The first step in which a story parts from a good one, fact by fact.", "Parting",
                parameters=(
                    Parameter("id", "The Reference ID of the bad one."),
                    Parameter("good", "That of a good one; else the nearest is taken."),
                ),
                refusals={404: NO_STORY.message},
            ),
        ]  # fmt: skip

    async def listed(self, request: web.Request) -> web.Response:
        query = query_of(request.query.items(), wall())
        if isinstance(query, list):
            return faults_reply(query)
        if query.group is not None:
            found = await self._sources.diagnostics.stories(replace(query, limit=MOST_COUNTED))
            return json_reply({**grouped(found.stories, query.group), "store": found.store})
        found = await self._sources.diagnostics.stories(query)
        return json_reply({"requests": found.stories, "store": found.store})

    async def tail(self, request: web.Request) -> web.Response:
        asked = followed_of(request.query.items(), wall())
        if isinstance(asked, list):
            return faults_reply(asked)
        cursor, wait, query = asked
        found = await self._sources.diagnostics.tail(cursor, query, wait)
        told = {"requests": found.stories, "cursor": found.cursor, "missed": found.missed}
        return json_reply(told)

    async def against(self, request: web.Request) -> web.Response:
        bad, good = request.match_info["id"], request.query.get("good") or None
        found = await self._sources.diagnostics.parted(bad, good)
        if isinstance(found, str):
            said = f"No story is kept of {redact(found)}: too old, sampled away, or not ours."
            return refusal_reply(AdminRefusal(404, NO_STORY.code, said))
        return json_reply(found)

    async def one(self, request: web.Request) -> web.Response:
        instances = request.query.get("instances", "")
        if instances not in ("", ALL):
            return faults_reply([fault("instances", instances, f"{ALL}, or to be left out")])
        asked = request.match_info["id"]
        found = await self._sources.diagnostics.story(asked, across=instances == ALL)
        if not found.stories:
            if found.store == "failing":
                return refusal_reply(STORE_SILENT)
            return refusal_reply(no_story(found.why))
        return json_reply({"stories": found.stories, "store": found.store})


_INSTANCES: Final = Parameter(
    "instances", "`all`: compare with exchanges of all instances that share the store.",
    {"type": "string", "enum": [ALL]},
)  # fmt: skip
_FOLLOWED: Final = (
    Parameter("after", "The cursor of the answer before; else from now on.", {"type": "integer"}),
    Parameter(
        "wait", "Seconds for which the answer may wait for the next exchange.",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
    ),
)  # fmt: skip
_PARAMETERS: Final = (
    Parameter("code", "How they ended.", {"type": "string", "enum": list(OUTCOMES)}),
    Parameter("route", "Name of the route."),
    Parameter("status", "What the client was sent.", {"type": "integer"}),
    Parameter("method", "Method of the request."),
    Parameter("path", "Path without its query; with a star at its end all that begin so."),
    Parameter("endpoint", "Endpoint of one of the attempts."),
    Parameter("agent", "Part of the user agent."),
    Parameter("detail", "Part of the detail."),
    Parameter("instance", "Name of the instance that told it."),
    Parameter(
        "group", f"Count by its values instead: {', '.join(COLUMNS)}, or field.<name>; over time."
    ),
    Parameter("since", f"Ended then or later: {_TIME}."),
    Parameter("until", f"Ended then or before: {_TIME}."),
    Parameter("field.<name>", "Value of one of the team's own fields, as it was recorded."),
    Parameter(
        "limit", "Most that are wanted.",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100},
    ),
)  # fmt: skip
