"""docs/events.md and the code are of one mind."""

import re
from pathlib import Path

from proxy.observation.record import FIELDS

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/events.md").read_text()


def test_the_docs_list_every_field_in_order() -> None:
    section = DOCS.partition("## `exchange`")[2].partition("\n## ")[0]

    assert list(FIELDS) == re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_docs_list_every_event_that_is_said() -> None:
    section = DOCS.partition("## Changes of state")[2].partition("\n## ")[0]
    rooms = ("observation", "diagnostics", "tls", "tracing")
    code = "".join(p.read_text() for room in rooms for p in (ROOT / "proxy" / room).rglob("*.py"))
    said = re.findall(r'(?:emit|say|line|tell)\(\s*"(\w+)"', code)
    said += re.findall(r'"event": "(\w+)"', code) + re.findall(r'"(breaker_\w+)",', code)
    said += re.findall(r'\("(endpoint_\w+)", "', code)

    assert {*said} - {"exchange", "breaker_state", "breaker_open"} == {
        *re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    }
