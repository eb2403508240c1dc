"""The floors of the house, as far as the import linter cannot say it.

The floors themselves stand in `.importlinter`, the roof first.
"""

import ast
import re
from configparser import ConfigParser

import pytest

from tests.source import MODULES, ROOT, TREES, imports_of

_FILE = ConfigParser()
_FILE.read(ROOT / ".importlinter")
_LINES = _FILE["importlinter:contract:floors"]["layers"].strip().splitlines()
FLOORS = dict(enumerate(re.split(r" [:|] ", line.strip()) for line in reversed(_LINES)))

WORLD = {
    "asyncio",
    "aiohttp",
    "os",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
}
"""What a rule may not know of: it decides, others do."""

SAME_EDGE = {
    "streams": "relay",
}
"""An edge of several modules at the top, by its first one; folders are edges of their own."""


def floor_of(module: str) -> int | None:
    for floor, rooms in FLOORS.items():
        if any(module == room or module.startswith(room + ".") for room in rooms):
            return floor
    return None


def on_floor(floor: int) -> list[str]:
    return [module for module in MODULES if floor_of(module) == floor]


def edge_of(module: str) -> str:
    room = module.partition(".")[0]
    return SAME_EDGE.get(room, room)


def test_there_are_eight_floors_and_each_room_exists():
    rooms = [room for rooms in FLOORS.values() for room in rooms]

    assert list(range(8)) == list(FLOORS)
    assert [] == [r for r in rooms if r not in MODULES and f"{r}.__init__" not in MODULES]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_without_a_floor_fails(module):
    if module.endswith("__init__") and floor_of(module) is None:
        ours = {name for name in imports_of(module) if name.startswith("proxy")}

        assert set() == ours, "a folder over several floors must not import any of them"
    else:
        assert floor_of(module) is not None, "add it to its floor in .importlinter"


@pytest.mark.parametrize("module", on_floor(0) + on_floor(1))
def test_rules_do_no_io_and_read_no_clock(module):
    known = {name.partition(".")[0] for name in imports_of(module)} & WORLD
    calls = {
        node.func.id
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert (known - {"time"} if module == "clock" else known) == set()
    assert "open" not in calls


@pytest.mark.parametrize("module", on_floor(2))
def test_the_plan_knows_no_event_loop(module):
    assert {"asyncio", "aiohttp"}.isdisjoint({n.partition(".")[0] for n in imports_of(module)})


@pytest.mark.parametrize("module", on_floor(4))
def test_edges_do_not_import_each_other(module):
    others = {edge_of(name) for name in on_floor(4)} - {edge_of(module)}
    ours = {n.removeprefix("proxy.") for n in imports_of(module) if n.startswith("proxy.")}
    foreign = {n for n in ours if floor_of(n) == 4 and edge_of(n) in others}

    assert set() == foreign
