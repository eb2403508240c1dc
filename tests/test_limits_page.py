"""Every limit on its page is held by a test that is there, and has a key that is there."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_docs import ENDINGS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| what |", "| who |"))
]


def names_in(path: str) -> set[str]:
    """The names of the tests in that file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_limit_is_held_by_a_test(row: list[str]) -> None:
    path, _, name = row[-1].strip("`").partition("::")

    assert name.startswith("test_")
    assert name in names_in(path)


def test_the_keys_of_limits_are_there() -> None:
    keys = {key for row in ROWS for key in re.findall(r"`([a-z_]+\.[a-z_.]+)`", row[-3])}

    assert keys
    assert set() == keys - ENDINGS
