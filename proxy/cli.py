"""The command line: parses arguments, runs a command, prints its result or its error.

Exit codes: 0 done, 1 could not do it, 2 the command or the settings are wrong.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import chdir
from functools import partial
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from proxy import __version__
from proxy.commands.admin_client import connection_to, reached
from proxy.commands.check import add_check
from proxy.commands.init import add_init
from proxy.commands.named_files import look_into_files
from proxy.commands.process import NotSidelightError, arguments_of, directory_of
from proxy.commands.remote import add_commands
from proxy.observation.redaction import PATH_CHARS, redact
from proxy.settings.faults import SettingsError
from proxy.settings.json_schema import json_schema
from proxy.settings.load import load
from proxy.settings.schema import Settings
from proxy.settings.source import Source

_DESCRIPTION = "A sidecar reverse proxy that makes any HTTP upstream observable and resilient."
_PROBE_TIMEOUT = 2.0
_DEMO = {
    "SIDELIGHT_POLICIES__DEFAULT__TIMEOUTS__GAP": "5s",
    "SIDELIGHT_UPSTREAMS__DOWN__ENDPOINTS": "http://127.0.0.1:1",
    "SIDELIGHT_ROUTES__DOWN__MATCH__PATH": "/api/down",
    "SIDELIGHT_ROUTES__DOWN__UPSTREAM": "down",
}
"""Of the demo: nobody should have to wait half a minute to see a stall, or stop a process to see
an upstream that is down."""
_SWITCH = 0.0005
"""Seconds for which a thread that renders metrics may keep the event loop from running."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parsed(arguments)
    try:
        return int(options.command(options))
    except SettingsError as error:
        _say(str(error))
        return 2
    except OSError as error:
        _say(f"sidelight: {error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        return 0


class _Parser(argparse.ArgumentParser):
    """Quotes arguments that it does not understand, but nothing secret of them."""

    def error(self, message: str) -> NoReturn:
        super().error(redact(message, PATH_CHARS))


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; words may stand behind them, where argparse looks for none."""
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and (not hasattr(options, "words") or any(word[:1] == "-" != word for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.words += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="sidelight", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=_version_text())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="run the proxy", description="Run the proxy.")
    _take_settings(run)
    run.add_argument("--port", type=_port, metavar="N", help="port to listen on, whatever is set")
    run.set_defaults(command=_run)
    demo = commands.add_parser(
        "demo",
        help="run the proxy in front of a demo chat backend",
        description="Run the proxy in front of a demo chat backend that streams its answers.",
    )
    demo.set_defaults(command=_demo)
    add_check(commands.add_parser)
    schema = commands.add_parser("schema", help="print the JSON Schema of settings files")
    schema.set_defaults(command=_schema)
    health = commands.add_parser(
        "healthcheck",
        help="ask a running proxy whether it lives (exit code 0 if so)",
        description="Ask /livez of the admin port; for a container's HEALTHCHECK.",
    )
    source = health.add_mutually_exclusive_group()
    source.add_argument(
        "--config", type=Path, metavar="FILE", help="settings file that names the admin port"
    )
    source.add_argument(
        "--pid", type=int, metavar="PID", help="the Sidelight that runs as this process"
    )
    health.set_defaults(command=_healthcheck)
    add_init(commands.add_parser)
    add_commands(commands.add_parser)
    version = commands.add_parser("version", help="print the version")
    version.set_defaults(command=_version)
    return parser


def _take_settings(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--config", type=Path, metavar="FILE", help="settings file (YAML)")
    source.add_argument(
        "--upstream", metavar="URL", help="forward everything to URL; needs no settings file"
    )


def _port(text: str) -> str:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port; write a number up to 65535')
    return text


def _run(options: argparse.Namespace) -> int:
    env = dict(os.environ)
    if options.port is not None:
        env["SIDELIGHT_LISTEN__PORT"] = options.port
    return _serve(Source(options.config, env, options.upstream, look_into_files))


def _demo(_options: argparse.Namespace) -> int:
    from proxy.demo import process  # the demo is not loaded in production

    with process() as url:
        # the page's own origin is the backend's, another one than Sidelight's
        demo = _DEMO | {"SIDELIGHT_CORS__ORIGINS": url}
        source = Source(None, demo | dict(os.environ), url, look_into_files)
        return _serve(source, greeting=partial(_greeting, url))


def _greeting(page: str, port: int, admin_port: int) -> str:
    chat, admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}"
    ask = f"""curl -N {chat}/api/chat -H 'Content-Type: application/json' -d"""
    return f"""
chat page:  {page}/?port={port}   (another origin, with the widget client)
Sidelight:  {chat}
admin port: {admin}   (the dashboard; /health, /metrics)

Try:
  {ask} '{{"message": "hello"}}'
  {ask} '{{"message": "hello", "mode": "cut"}}'
  curl {admin}/health

Ctrl-C ends it.
"""


def _serve(source: Source, greeting: Callable[[int, int], str] | None = None) -> int:
    from proxy.app import App  # `check` and `healthcheck` start without it
    from proxy.descriptors import raise_limit
    from proxy.diagnostics.stories.opening import StoreMissingError
    from proxy.supervisor import run
    from proxy.tracing.service import TracingMissingError

    settings = source.load(pause=0)
    for warning in source.warnings:
        _say(f"warning: {warning}")
    sys.setswitchinterval(_SWITCH)
    raise_limit()
    try:
        app = App(settings, source=source)
    except (StoreMissingError, TracingMissingError) as error:
        _say(f"sidelight: {error}")
        return 2
    with asyncio.Runner(loop_factory=_loop_factory(settings)) as runner:
        runner.run(run(app, lambda: _say(greeting(app.port, app.admin_port)) if greeting else None))
    return 0


def _loop_factory(settings: Settings) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if settings.event_loop == "asyncio":
        return None
    import uvloop

    return uvloop.new_event_loop


def _schema(_options: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2))
    return 0


def _healthcheck(options: argparse.Namespace) -> int:
    if not options.pid:
        return _answers(options)
    try:
        asked = _parser().parse_args(arguments_of(options.pid))
        with chdir(directory_of(options.pid)):  # its paths are meant from there
            return _answers(asked)
    except NotSidelightError as error:
        _say(f"sidelight: {error}")
        return 1


def _answers(asked: argparse.Namespace) -> int:
    """0 where the Sidelight that was started so lives."""
    config = getattr(asked, "config", None)
    # without a file the environment is enough to know the admin port
    settings = load(config, os.environ, None if config else "http://127.0.0.1")
    host, port = settings.admin.host, settings.admin.port
    connection = connection_to(reached(host), port, settings.admin.tls, _PROBE_TIMEOUT)
    try:
        connection.request("GET", "/livez")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException) as error:
        _say(f"sidelight: {reached(host)}:{port}: {error}")
        return 1
    finally:
        connection.close()


def _version(_options: argparse.Namespace) -> int:
    print(_version_text())
    return 0


def _version_text() -> str:
    found = find_spec("proxy.forward")
    if found is not None and not (found.origin or "").endswith(".py"):
        return f"sidelight {__version__} (compiled)"
    built = Path(__file__).with_name("built.txt")  # whoever built the wheel left it
    why = built.read_text().strip() if built.is_file() else "it runs from its source"
    return f"sidelight {__version__} (interpreted: {why})"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
