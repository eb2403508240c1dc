"""`sidelight init`: a settings file from four answers, so that nobody begins with an empty one.

Answers are flags, or asked for on a terminal. A file that is there is never overwritten.
"""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from proxy.settings import syntax
from proxy.settings.faults import Place, SettingsError, SettingsFault
from proxy.settings.load import parse
from proxy.upstream.rules import endpoint

_OWNER_ONLY = 0o600
"""The file has a secret in it."""


def _origin(text: str) -> str:
    return syntax.origin(text) if text else text


def _token(text: str) -> str:
    return syntax.token(SecretStr(text)).get_secret_value() if text else secrets.token_hex(24)


@dataclass(frozen=True, slots=True)
class _Question:
    """`check` returns the value or raises ValueError; `default` holds for an empty answer."""

    flag: str
    words: str
    check: Callable[[str], str]
    default: str = ""
    optional: bool = False
    """Whether nobody need be asked or told."""


_QUESTIONS = (
    _Question("upstream", "URL of your backend", endpoint, "http://127.0.0.1:8000"),
    _Question("stream", "Path whose answers stream", syntax.path, "/api/chat"),
    _Question(
        "origin",
        "Origin of the page with the widget, such as https://app.example.com "
        "(empty: the page is served through Sidelight)",
        _origin,
    ),
    _Question("token", "Admin token (empty: one is made)", _token, optional=True),
)


def add_init(add: Callable[..., argparse.ArgumentParser]) -> None:
    """`add` makes a parser for a command."""
    about = "Write a commented settings file. What no flag says is asked for."
    init = add("init", help="write a settings file from four answers", description=about)
    init.add_argument("file", type=Path, nargs="?", default=Path("sidelight.yaml"), metavar="FILE")
    for question in _QUESTIONS:
        init.add_argument(f"--{question.flag}", help=question.words)
    init.set_defaults(command=_init)


def _init(options: argparse.Namespace) -> int:
    if options.file.exists():
        raise _refusal(str(options.file), "is there already, and is not overwritten")
    given = {question.flag: getattr(options, question.flag) for question in _QUESTIONS}
    answers = _asked(given) if sys.stdin.isatty() else _told(given)
    text = _written(options.file, **answers)
    parse(text, source=str(options.file))
    _write(options.file, text)
    print(f"wrote {options.file}; the admin token is in it\n"
          f"next: sidelight run --config {options.file}", file=sys.stderr)  # fmt: skip
    return 0


def _told(given: dict[str, str | None]) -> dict[str, str]:
    """The answers where nobody can be asked. Raises SettingsError."""
    needed = [question.flag for question in _QUESTIONS if not question.optional]
    if missing := [f"--{flag}" for flag in needed if given[flag] is None]:
        raise _refusal("init", f"nobody can be asked here; give {', '.join(missing)} as well")
    return {question.flag: _checked(question, given[question.flag]) for question in _QUESTIONS}


def _checked(question: _Question, given: str | None) -> str:
    try:
        return question.check(given or "")
    except ValueError as error:
        raise _refusal(f"--{question.flag}", str(error)) from None


def _asked(given: dict[str, str | None]) -> dict[str, str]:
    answers = {}
    for question in _QUESTIONS:
        told = given[question.flag]
        answers[question.flag] = _ask(question) if told is None else _checked(question, told)
    return answers


def _ask(question: _Question) -> str:
    """A good answer, however often it takes."""
    default = f" [{question.default}]" if question.default else ""
    while True:
        try:
            return question.check(input(f"{question.words}{default}: ").strip() or question.default)
        except ValueError as error:
            print(error, file=sys.stderr)
        except EOFError:
            raise _refusal("init", "the answers ended; nothing was written") from None


def _refusal(place: str, message: str) -> SettingsError:
    return SettingsError([SettingsFault(Place(place), (), message)])


def _write(file: Path, text: str) -> None:
    """Raises OSError, also where the file has come into being meanwhile."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as made:
        made.write(text)


def _quoted(text: str) -> str:
    """As a value of YAML that no variable is looked for in."""
    return json.dumps(text).replace("${", "$${")


def _written(file: Path, *, upstream: str, stream: str, origin: str, token: str) -> str:
    cors = f"cors: {{ origins: [{_quoted(origin)}] }}"
    return _FILE.format(
        file=file,
        upstream=_quoted(upstream),
        stream=_quoted(stream),
        token=_quoted(token),
        cors=cors if origin else '# cors: { origins: ["https://app.example.com"] }',
        rest="" if stream == "/" else _REST,
    )


_FILE = """\
# Check it: sidelight check {file}
# Run it:   sidelight run --config {file}
# Every key is explained in docs/configuration.md, and can be given by the environment too.

# Where clients connect, no more of them than the upstream's pool has connections for their streams.
listen: {{ host: 0.0.0.0, port: 8080, max_connections: 1024 }}

# Health, metrics and the dashboard. All but health and metrics ask for the token: keep this file
# to yourself, or give the token as SIDELIGHT_ADMIN__TOKEN instead.
admin: {{ host: 127.0.0.1, port: 8081, token: {token} }}

# Pages of this origin may read the status, the message and the Reference ID of every error.
{cors}

upstreams:
  backend:
    endpoints: [{upstream}]

routes:
  # Answers that stream. Asked for again only where the upstream was never reached.
  - name: stream
    match: {{ path: {stream} }}
    upstream: backend
    policy: streamed-chat
{rest}"""

_REST = """
  # Everything else.
  - name: rest
    match: { path: / }
    upstream: backend
"""
