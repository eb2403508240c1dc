"""`errors`, `breakers`, `reload`, `alert-test`: commands that query the admin port.

Exit codes: 0 done, 1 not found, refused or nobody there; of `reload` 2: the settings are wrong.
"""

import argparse
from collections.abc import Callable

from proxy.admin.json_view import JsonObject, rows, text, texts
from proxy.admin.reload_text import reload_text
from proxy.admin.story_text import breaker_line, group_line
from proxy.commands.admin_client import UnreachableError, find_admin
from proxy.commands.asking import SLOW, ask_by, fail, print_text, reason_refused, show
from proxy.commands.explain import add_explain
from proxy.commands.tail import add_tail


def add_commands(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes a parser for a command."""
    add_explain(add)
    add_tail(add)
    ask_by(
        add("errors", help="list the groups of errors", description="List the groups of errors."),
        _errors,
    )
    ask_by(add("breakers", help="list the circuits", description="List circuits."), _breakers)
    ask_by(add("reload", help="have the settings read again, and say what changed",
               description="Have the settings read again."), _reload)  # fmt: skip
    test = add("alert-test", help="send a test alert to every receiver",
               description="Send a test alert to every receiver.")  # fmt: skip
    ask_by(test, _alert_test)


def _errors(options: argparse.Namespace) -> int:
    def render(body: JsonObject) -> str:
        return "\n".join(map(group_line, rows(body, "groups"))) or "No error has been recorded."

    return show(find_admin(options.admin, options.config), "/api/errors", render)


def _breakers(options: argparse.Namespace) -> int:
    def render(body: JsonObject) -> str:
        return "\n".join(map(breaker_line, rows(body, "breakers")))

    return show(find_admin(options.admin, options.config), "/api/breakers", render)


def _reload(options: argparse.Namespace) -> int:
    client = find_admin(options.admin, options.config)
    try:
        answer = client.ask("/reload", "POST", SLOW)
    except UnreachableError as nobody:
        return fail(str(nobody))
    result = text(answer.body, "result")
    if result == "rejected":
        return fail("\n".join(texts(answer.body, "faults"))) and 2
    if result == "refused":
        return fail(text(answer.body, "reason"))
    return print_text(reload_text(answer.body)) if result else fail(reason_refused(client, answer))


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
    return show(client, "/api/alerts/test", render, "POST") or int(failed)
