"""`sidelight tail`: the exchanges that end, a line each, as long as somebody looks."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from proxy.admin.json_view import JsonObject, as_count, milliseconds, part, rows, text
from proxy.commands.admin_client import AdminClient, UnreachableError, find_admin
from proxy.commands.asking import ask_by, fail, print_text, reason_refused

_FILTERS: Final = (
    "code", "route", "status", "method", "path", "endpoint", "agent", "detail", "instance",
)  # fmt: skip
_WAIT: Final = 20
"""Seconds for which the port may wait for the next exchange."""
_PATIENCE: Final = 30.0
_AGAIN: Final = 1.0
"""Seconds before a port that does not answer is asked again."""


def add_tail(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes a parser for a command."""
    tail = add("tail", help="list the requests that ended last, and follow them",
               description="List the requests that ended last, a line each.")  # fmt: skip
    for name in _FILTERS:
        tail.add_argument(f"--{name}", metavar=name.upper(), help=f"only with this {name}")
    tail.add_argument("--field", action="append", default=[], metavar="NAME=VALUE",
                      help="only with this value of a field of the team's own")  # fmt: skip
    tail.add_argument("-n", type=int, default=20, metavar="N", help="how many, 1 to 1000")
    tail.add_argument("-f", "--follow", action="store_true", help="go on with those to come")
    tail.add_argument("--json", action="store_true", help="print JSON, an object a line")
    ask_by(tail, _tail)


def _tail(options: argparse.Namespace) -> int:
    asked = {name: given for name in _FILTERS if (given := getattr(options, name)) is not None}
    for given in options.field:
        name, _, value = given.partition("=")
        asked[f"field.{name}"] = value
    client = find_admin(options.admin, options.config)
    show = _as_json if options.json else summary_line
    try:
        cursor = _cursor(client) if options.follow else 0
        answer = _asked(client, "/api/requests", {**asked, "limit": str(options.n)})
        _print(reversed(rows(answer, "requests")), show)
        if options.follow:
            _follow(client, asked, cursor, show)
    except (UnreachableError, _RefusedError) as error:
        return fail(str(error))
    return 0


class _RefusedError(Exception):
    """The port does not say; the argument is why."""


def _cursor(client: AdminClient) -> int:
    """That of this moment: what ends between two questions must not be lost."""
    return as_count(_asked(client, "/api/tail", {}), "cursor")


def _follow(
    client: AdminClient, asked: dict[str, str], cursor: int, show: Callable[[JsonObject], str]
) -> None:
    is_lost = False
    while True:
        question = {**asked, "limit": "1000", "after": str(cursor), "wait": str(_WAIT)}
        try:
            answer = _asked(client, "/api/tail", question)
        except UnreachableError as nobody:
            if not is_lost:
                fail(str(nobody))
            is_lost = True
            time.sleep(_AGAIN)
            continue
        is_lost = False
        if missed := as_count(answer, "missed"):
            fail(f"{missed} requests ended in between and are not shown")
        _print(rows(answer, "requests"), show)
        cursor = as_count(answer, "cursor")


def _asked(client: AdminClient, path: str, question: dict[str, str]) -> JsonObject:
    answer = client.ask(f"{path}?{urlencode(question)}", timeout=_PATIENCE)
    if answer.status != HTTPStatus.OK:
        raise _RefusedError(_reasons(answer.body) or reason_refused(client, answer))
    return answer.body


def _reasons(body: JsonObject) -> str:
    return "; ".join(f"{text(f, 'parameter')}: {text(f, 'expected')}" for f in rows(body, "faults"))


def _print(summaries: Iterable[JsonObject], show: Callable[[JsonObject], str]) -> None:
    for summary in summaries:
        print_text(show(summary))
    sys.stdout.flush()


def _as_json(summary: JsonObject) -> str:
    return json.dumps(summary)


def summary_line(summary: JsonObject) -> str:
    """One line of a list."""
    fields = " ".join(f"{name}={value}" for name, value in part(summary, "fields").items())
    end = f"→ {text(summary, 'code')} ({text(summary, 'term')})"
    words = (
        text(summary, "at"), text(summary, "status", "---"), end,
        text(summary, "method"), text(summary, "path"),
        milliseconds(summary, "duration_ms"), text(summary, "endpoint"), fields,
        text(summary, "detail"), text(summary, "request_id"),
    )  # fmt: skip
    return "  ".join(filter(None, words))
