"""The shape of `proxy/`: small files and functions, few modules at the top, no folder circle."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter

import pytest

from tests.source import MODULES, TREES, imports_of

MOST_LINES = 250
MOST_FUNCTION_LINES = 45
MOST_AT_THE_TOP = 28
"""Modules that stand at the top of `proxy/`, the request path among them. May only shrink."""

LONGER_FILES = {}
"""Files above the limit: lines and reason. May only shrink."""

TABLES = {"diagnostics.stories.runbooks"}
"""Files that are one table of prose: as long as it is."""

LONGER_FUNCTIONS: dict[str, tuple[int, str]] = {}
"""Functions above the limit, as `module.function`: lines and reason. May only shrink."""

FOLDERS = {module.partition(".")[0] for module in MODULES if "." in module}


def lines_of(module: str) -> int:
    return len(MODULES[module].read_text(encoding="utf-8").splitlines())


def functions_of(module: str) -> dict[str, int]:
    """Lines of each function, nested ones too; of those with the same name the longest."""
    found: dict[str, int] = defaultdict(int)
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found[f"{module}.{node.name}"] = max(lines, found[f"{module}.{node.name}"])
    return found


def imported_folders(folder: str) -> set[str]:
    inside = [module for module in MODULES if module.startswith(folder + ".")]
    imported = {name for module in inside for name in imports_of(module)}
    ours = {name.split(".")[1] for name in imported if name.startswith("proxy.")}
    return (ours & FOLDERS) - {folder}


@pytest.mark.parametrize("module", [name for name in MODULES if name not in TABLES])
def test_no_file_is_longer_than_the_limit(module: str) -> None:
    assert lines_of(module) <= LONGER_FILES.get(module, (MOST_LINES, ""))[0]


@pytest.mark.parametrize("module", MODULES)
def test_no_function_is_longer_than_the_limit(module: str) -> None:
    longer = {
        name: lines
        for name, lines in functions_of(module).items()
        if lines > LONGER_FUNCTIONS.get(name, (MOST_FUNCTION_LINES, ""))[0]
    }

    assert {} == longer


def test_no_exception_is_listed_without_need() -> None:
    functions = {name: lines for module in MODULES for name, lines in functions_of(module).items()}

    assert [] == [name for name in LONGER_FILES if lines_of(name) <= MOST_LINES]
    assert [] == [name for name in LONGER_FUNCTIONS if functions[name] <= MOST_FUNCTION_LINES]


def test_the_modules_at_the_top_are_few() -> None:
    top = [module for module in MODULES if "." not in module and not module.startswith("__")]

    assert len(top) <= MOST_AT_THE_TOP


def test_no_folder_imports_one_that_imports_it() -> None:
    """Modules at the top are not counted: floors hold them (`.importlinter`)."""
    graph = {folder: imported_folders(folder) for folder in FOLDERS}

    order = list(TopologicalSorter(graph).static_order())

    assert FOLDERS == set(order)
