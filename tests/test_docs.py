"""What the documentation tells people to type works, and what it links to is there."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from proxy.admin.server import endpoints
from proxy.cli import _parser
from proxy.observation.record import FIELDS, event_of
from proxy.settings.json_schema import json_schema
from tests.deploy.promql import faults
from tests.deploy.test_prometheus import RECORDED
from tests.deploy.tools import tool

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("docs/**/*.md")}
PAGES |= {path.name: path.read_text() for path in ROOT.glob("*.md")}
MAKEFILE = (ROOT / "Makefile").read_text()
OPERATING = ("operating", "incidents", "observability", "deploying", "upgrading", "security", "why")
"""Pages for those who run it, whose every word in code style is looked at."""


def blocks(language: str) -> list[tuple[str, str]]:
    """Page and line of every line of fenced code in that language; comments left out."""
    return [
        (name, line.partition("  #")[0].strip())
        for name, text in PAGES.items()
        for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]


SHELL = blocks("sh")


def heading_anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE) if anchor else ()
        if not file.exists() or (anchor and anchor not in map(heading_anchor, headings)):
            lost.append(target)

    assert [] == lost


def test_the_index_lists_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#\s]+)\)", PAGES["docs/README.md"]))

    assert set() == {
        name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")
    } - linked - {"README.md"}


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_modules_and_folders_that_are_named_are_there(name: str) -> None:
    paths = re.findall(r"`((?:proxy|tests|deploy|docs|\.)[\w./]*(?:/|\.py))`", PAGES[name])

    assert paths
    assert [] == [path for path in paths if not (ROOT / path).exists()]


def test_the_architecture_names_every_folder() -> None:
    folders = {path.parent.name for path in ROOT.glob("proxy/*/__init__.py")}

    assert set() == {f for f in folders if f"`proxy/{f}/`" not in PAGES["docs/architecture.md"]}


@pytest.mark.parametrize("verb", re.findall(r"^([a-z]+):.*  ## ", MAKEFILE, re.MULTILINE))
def test_contributing_explains_every_verb(verb: str) -> None:
    assert f"`make {verb}`" in PAGES["CONTRIBUTING.md"]


@pytest.mark.parametrize(
    ("name", "line"), [pair for pair in SHELL if pair[1].startswith("sidelight ")]
)
def test_commands_of_sidelight_are_understood(name: str, line: str) -> None:
    _parser().parse_args(shlex.split(line)[1:])


@pytest.mark.parametrize(("name", "line"), [pair for pair in SHELL if ":8081/" in pair[1]])
def test_what_is_asked_of_the_admin_port_is_there(name: str, line: str) -> None:
    patterns = {(e.method, re.sub(r"\{\w+\}", "[^/]+", e.path)) for e in endpoints(sources=None)}
    method = "POST" if "-X POST" in line else "GET"
    for path in re.findall(r":8081(/[^\s'?\"]+)", line):
        assert [p for m, p in patterns if m == method and re.fullmatch(p, path)], path


@pytest.mark.parametrize(("name", "line"), [p for p in SHELL if p[1].startswith("deploy/")])
def test_scripts_are_there(name: str, line: str) -> None:
    assert (ROOT / shlex.split(line)[0]).is_file()


@pytest.fixture
def log(tmp_path, exchange_of) -> Path:
    """Lines of every kind that the questions ask for."""
    exchanges = [
        exchange_of(),
        exchange_of("stream_truncated", streamed=True, reads=2, events=3, first_event=0.4),
        exchange_of("internal_error", request_id="ID", attempts=[*exchange_of().attempts] * 2),
    ]
    levels = ("INFO", "ERROR", "CRITICAL")
    lines = [
        {"timestamp": "2026-11-25T03:00:00.000Z", "level": level, "event": "exchange"} | event_of(x)
        for level, x in zip(levels, exchanges, strict=True)
    ]
    change = {"timestamp": "2026-11-25T03:00:00.000Z", "level": "WARNING"}
    lines.append({**change, "event": "breaker_opened", "route": "chat", "cause": "manual"})
    (tmp_path / "exchanges.log").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return tmp_path


@pytest.mark.parametrize(("name", "line"), [pair for pair in SHELL if pair[1].startswith("jq ")])
def test_questions_to_the_log_find_something(name: str, line: str, log: Path) -> None:
    tool("jq", "jq")
    command = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(command, cwd=log, capture_output=True, text=True, timeout=30)

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.strip()


@pytest.mark.parametrize(("name", "line"), blocks("promql"))
def test_questions_to_prometheus_name_what_there_is(name: str, line: str) -> None:
    assert [] == list(faults(line, RECORDED))


WORDS = {
    *("fields", "filter", "stats", "count", "by", "bin", "and", "sum", "json", "over", "time"),
    *("count_over_time", "quantile_over_time", "unwrap", "service", "level", "event", "timestamp"),
}
"""Of the languages themselves, and the fields that every line has."""


@pytest.mark.parametrize(("name", "line"), blocks("logql") + blocks("cloudwatch"))
def test_questions_elsewhere_name_fields_that_there_are(name: str, line: str) -> None:
    plain = re.sub(r'"[^"]*"|\b\d\w*', "", line)

    assert set(re.findall(r"[a-z_]+", plain)) <= WORDS | set(FIELDS)


def keys(schema: dict, definitions: dict, path: str = "") -> set[str]:
    """Every key of the settings, without the names that users give."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    found = {path} if path else set()
    for key, below in schema.get("properties", {}).items():
        found |= keys(below, definitions, f"{path}.{key}".removeprefix("."))
    for below in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        found |= keys(below, definitions, path)
    named = [schema["items"]] if "items" in schema else []
    for below in (*named, *schema.get("patternProperties", {}).values()):
        found |= keys(below, definitions, f"{path}.*")
    return found


SCHEMA = json_schema()
KEYS = keys(SCHEMA, SCHEMA["$defs"])
ENDINGS = {key.split(".", n)[-1] for key in KEYS for n in range(key.count(".") + 1)}


@pytest.mark.parametrize("page", OPERATING)
def test_settings_that_are_named_are_there(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", PAGES[f"docs/{page}.md"], flags=re.MULTILINE | re.DOTALL)
    dotted = re.findall(r"`([a-z_]+(?:\.[a-z_*]+)+)`", text)
    files = {key for key in dotted if key.endswith((".lock", ".yaml", ".json", ".sh", ".log"))}

    assert [] == [key for key in dotted if key not in files and key not in ENDINGS]
