"""`sidelight explain`: the stories of one or more IDs, from the admin port or from JSON logs.

Exit codes: 0 all were found, 1 one was not.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fileinput import FileInput
from pathlib import Path
from typing import Final
from urllib.parse import quote

from proxy.admin.around_text import parting_text
from proxy.admin.json_view import JsonObject, rows
from proxy.admin.story_text import story_text
from proxy.commands.admin_client import AdminClient, UnreachableError, find_admin
from proxy.commands.asking import ask_by, fail, print_text, reason_refused, show
from proxy.diagnostics.stories.words import count

_INPUT: Final = "-"
_PATHS: Final = ("/", "./", "../")
_LOGS: Final = (".log", ".json", ".jsonl", ".ndjson")
"""What a word that names a file begins or ends with, also where there is none of that name."""
_MOST: Final = 1000
"""IDs that are asked for at once."""


@dataclass(slots=True)
class Explained:
    """Stories that were found, and why there is none of the other IDs."""

    stories: list[Mapping[str, object]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def add_explain(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes a parser for a command."""
    explain = add("explain", help="tell the story of a Reference ID",
                  description="Tell the stories of requests: from the admin port, or from JSON "
                  "logs where nobody answers there or knows the ID.")  # fmt: skip
    explain.add_argument(
        "words", nargs="*", metavar="ID|FILE",
        help="Reference IDs (X-Request-ID), their first 8 characters, or an ID of the client's, "
        "of the upstream's or of the trace; a word that is a file is a JSON log; - is standard "
        "input: a log where an ID is given, else IDs, or lines of a log that name them",
    )  # fmt: skip
    explain.add_argument("--against", metavar="GOOD", help="tell where it parts from a good one")
    explain.add_argument(
        "--all-instances", action="store_true",
        help="compare with exchanges of all instances that share the store",
    )  # fmt: skip
    explain.add_argument("--json", action="store_true", help="print JSON")
    ask_by(explain, _explain)


def _explain(options: argparse.Namespace) -> int:
    ids, files = _sorted(options.words)
    if not ids:
        return fail("no ID is given; name one, or pipe IDs or lines of the log in")
    client = find_admin(options.admin, options.config)
    if options.against:
        good = quote(options.against.strip(), safe="")
        path = f"/api/requests/{quote(ids[0], safe='')}/against?good={good}"
        return show(client, path, _json if options.json else parting_text)
    explained = Explained()
    for asked in ids:
        _ask(client, asked, explained, "?instances=all" if options.all_instances else "")
    if explained.missing:
        _look_into_logs(files, explained)
    return _print(explained, as_json=options.json)


def _sorted(words: list[str]) -> tuple[list[str], list[str]]:
    """The IDs and the files; without an ID those that are piped in."""
    from proxy.commands.logs import ids_in  # only where it is needed

    files = [word for word in words if _is_file(word)]
    ids = [word.strip() for word in words if word not in files]
    if not ids and not sys.stdin.isatty():
        ids = list(ids_in(sys.stdin))
        files = [word for word in files if word != _INPUT] or ["/dev/null"]
    return list(dict.fromkeys(ids))[:_MOST], files


def _is_file(word: str) -> bool:
    return word == _INPUT or word.startswith(_PATHS) or word.endswith(_LOGS) or Path(word).exists()


def _ask(client: AdminClient, asked: str, explained: Explained, query: str) -> None:
    try:
        answer = client.ask(f"/api/requests/{quote(asked, safe='')}{query}")
    except UnreachableError as nobody:
        explained.missing[asked] = str(nobody)
        return
    stories = rows(answer.body, "stories")
    explained.stories += stories
    if not stories:
        explained.missing[asked] = reason_refused(client, answer)


def _look_into_logs(files: list[str], explained: Explained) -> None:
    from proxy.commands.logs import stories_in  # only where it is needed

    if not files and sys.stdin.isatty():
        for asked, why in explained.missing.items():
            explained.missing[asked] = f"{why}\nGive the files of its JSON log, or pipe it in."
        return
    lines: Iterable[str] = _lines(files or [_INPUT])
    if len(explained.missing) > 1:
        lines = list(lines)  # read once, looked through for each
    for asked, why in list(explained.missing.items()):
        found = stories_in(lines, asked)
        unread = f"{count(found.unread, 'line')} with this ID could not be read."
        if found.stories:
            explained.stories += found.stories
            del explained.missing[asked]
            if found.unread:
                fail(unread)
            continue
        missing = f"{why}\nThe logs do not name {asked} either."
        explained.missing[asked] = f"{missing}\n{unread}" if found.unread else missing


def _lines(files: list[str]) -> Iterator[str]:
    with FileInput(files, encoding="utf-8", errors="replace") as lines:
        yield from lines


def _print(explained: Explained, *, as_json: bool) -> int:
    if as_json:
        missing = [{"id": asked, "why": why} for asked, why in explained.missing.items()]
        print_text(_json({"stories": explained.stories, "missing": missing}))
        return int(bool(missing))
    if explained.stories:
        print_text("\n\n\n".join(map(story_text, explained.stories)))
    for asked, why in explained.missing.items():
        fail(why if len(explained.missing) == 1 else f"{asked}: {why}")
    return int(bool(explained.missing))


def _json(body: JsonObject) -> str:
    return json.dumps(body, indent=2)
