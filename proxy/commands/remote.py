"""`explain`, `errors`, `breakers`, `reload`, `alert-test`: commands that query the admin port.

Exit codes: 0 done, 1 not found, refused or nobody there; of `reload` 2: the settings are wrong.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from fileinput import FileInput
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote

from proxy.admin.around_text import parting_text
from proxy.admin.json_view import JsonObject, rows, text, texts
from proxy.admin.reload_text import reload_text
from proxy.admin.story_text import breaker_line, group_line, story_text
from proxy.commands.admin_client import AdminClient, AdminResponse, UnreachableError, find_admin
from proxy.diagnostics.stories.words import count

_SLOW: Final = 60.0
"""Seconds: receivers of alerts are tried more than once."""


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes a parser for a command."""
    explain = add("explain", help="tell the story of a Reference ID",
                  description="Tell the story of a request: from the admin port, or from JSON logs "
                  "where nobody answers there or knows the ID.")  # fmt: skip
    explain.add_argument("id", metavar="ID", help="the Reference ID (X-Request-ID)")
    explain.add_argument("files", nargs="*", metavar="FILE", help="JSON logs; - is standard input")
    explain.add_argument("--against", metavar="GOOD", help="tell where it parts from a good one")
    _take_door(explain, _explain)
    _take_door(add("errors", help="list the groups of errors", description="List errors."), _errors)
    _take_door(add("breakers", help="list the circuits", description="List circuits."), _breakers)
    _take_door(add("reload", help="have the settings read again, and say what changed",
                   description="Have the settings read again."), _reload)  # fmt: skip
    test = add("alert-test", help="send a test alert to every receiver",
               description="Send a test alert to every receiver.")  # fmt: skip
    _take_door(test, _alert_test)


def _take_door(
    parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]
) -> None:
    parser.add_argument("--admin", metavar="URL", help="admin port, such as http://127.0.0.1:8081")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that name it")
    parser.set_defaults(command=command)


def _explain(options: argparse.Namespace) -> int:
    client, wanted = find_admin(options.admin, options.config), options.id.strip()
    if options.against:
        good = quote(options.against.strip(), safe="")
        path = f"/api/requests/{quote(wanted, safe='')}/against?good={good}"
        return _show(client, path, parting_text)
    try:
        answer = client.ask(f"/api/requests/{quote(wanted, safe='')}")
    except UnreachableError as nobody:
        why = str(nobody)
    else:
        stories = rows(answer.body, "stories")
        if stories:
            return _tell_stories(stories)
        why = _refused(client, answer)
    return _explain_from_logs(options.files, wanted, why)


def _explain_from_logs(files: list[str], wanted: str, why: str) -> int:
    from proxy.commands.logs import stories_in  # only where it is needed

    if not files and sys.stdin.isatty():
        return _fail(f"{why}\nGive the files of its JSON log, or pipe it in.")
    found = stories_in(_lines(files or ["-"]), wanted)
    unread = f"{count(found.unread, 'line')} with this ID could not be read."
    if not found.stories:
        missing = f"{why}\nThe logs do not name {wanted} either."
        return _fail(f"{missing}\n{unread}" if found.unread else missing)
    if found.unread:
        _fail(unread)
    return _tell_stories(found.stories)


def _lines(files: list[str]) -> Iterator[str]:
    with FileInput(files, encoding="utf-8", errors="replace") as lines:
        yield from lines


def _tell_stories(stories: Iterable[JsonObject]) -> int:
    return _tell("\n\n\n".join(map(story_text, stories)))


def _errors(options: argparse.Namespace) -> int:
    def render(body: JsonObject) -> str:
        return "\n".join(map(group_line, rows(body, "groups"))) or "No error has been recorded."

    return _show(find_admin(options.admin, options.config), "/api/errors", render)


def _breakers(options: argparse.Namespace) -> int:
    def render(body: JsonObject) -> str:
        return "\n".join(map(breaker_line, rows(body, "breakers")))

    return _show(find_admin(options.admin, options.config), "/api/breakers", render)


def _reload(options: argparse.Namespace) -> int:
    client = find_admin(options.admin, options.config)
    try:
        answer = client.ask("/reload", "POST", _SLOW)
    except UnreachableError as nobody:
        return _fail(str(nobody))
    result = text(answer.body, "result")
    if result == "rejected":
        return _fail("\n".join(texts(answer.body, "faults"))) and 2
    if result == "refused":
        return _fail(text(answer.body, "reason"))
    return _tell(reload_text(answer.body)) if result else _fail(_refused(client, answer))


def _alert_test(options: argparse.Namespace) -> int:
    failed = False

    def render(body: JsonObject) -> str:
        nonlocal failed
        results = rows(body, "results")
        failed = not results or any(text(result, "result") != "sent" for result in results)
        lines = (
            " ".join(text(r, key) for key in ("receiver", "result", "detail")) for r in results
        )
        return "\n".join(lines) or "No receiver is set: see alerts.webhooks in the settings."

    client = find_admin(options.admin, options.config)
    return _show(client, "/api/alerts/test", render, "POST") or int(failed)


def _show(
    client: AdminClient, path: str, render: Callable[[JsonObject], str], method: str = "GET"
) -> int:
    try:
        answer = client.ask(path, method, _SLOW)
    except UnreachableError as nobody:
        return _fail(str(nobody))
    if answer.status != 200:
        return _fail(_refused(client, answer))
    return _tell(render(answer.body))


def _refused(client: AdminClient, answer: AdminResponse) -> str:
    """Why the port gave nothing, and what to do where it wants a token."""
    why = text(answer.body, "message") or f"status {answer.status}"
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return why
    wrong = "is not its token" if client.token else "is not set"
    return f"{why}\nSIDELIGHT_ADMIN__TOKEN {wrong}; set it, or name the settings by --config."


def _tell(words: str) -> int:
    sys.stdout.write(f"{_plain(words)}\n")
    return 0


def _fail(words: str) -> int:
    sys.stderr.write(f"sidelight: {_plain(words)}\n")
    return 1


def _plain(words: str) -> str:
    """Without anything that a terminal would obey: logs may come from anywhere."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in words)
