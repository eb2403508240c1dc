"""What commands that query the admin port share: their options, and how its answer is printed."""

import argparse
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from proxy.admin.json_view import JsonObject, text
from proxy.commands.admin_client import AdminClient, AdminResponse, UnreachableError
from proxy.commands.colours import painted

SLOW: Final = 60.0
"""Seconds: receivers of alerts are tried more than once."""


def ask_by(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]) -> None:
    """The options that name the port, and the command."""
    parser.add_argument("--admin", metavar="URL", help="admin port, such as http://127.0.0.1:8081")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that name it")
    parser.set_defaults(command=command)


def show(
    client: AdminClient, path: str, render: Callable[[JsonObject], str], method: str = "GET"
) -> int:
    """Print what the port answers; the exit code."""
    try:
        answer = client.ask(path, method, SLOW)
    except UnreachableError as nobody:
        return fail(str(nobody))
    if answer.status != HTTPStatus.OK:
        return fail(reason_refused(client, answer))
    return print_text(render(answer.body))


def reason_refused(client: AdminClient, answer: AdminResponse) -> str:
    """Why the port gave nothing, and what to do where it wants a token."""
    why = text(answer.body, "message") or f"status {answer.status}"
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return why
    wrong = "is not its token" if client.token else "is not set"
    return f"{why}\nSIDELIGHT_ADMIN__TOKEN {wrong}; set it, or name the settings by --config."


def print_text(words: str) -> int:
    """Print it, in colours on a terminal; the exit code of success."""
    sys.stdout.write(f"{painted(plain(words), sys.stdout)}\n")
    return 0


def fail(words: str) -> int:
    """Print why it failed; the exit code."""
    sys.stderr.write(f"sidelight: {plain(words)}\n")
    return 1


def plain(words: str) -> str:
    """Without anything that a terminal would obey: logs may come from anywhere."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in words)
