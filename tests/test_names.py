"""One name, one meaning: no public name is defined in two modules of `proxy/`.

Constants are left out: tables of states and of defaults repeat names of the field (`CLOSED`), and
are read with their module.
"""

import ast
from collections import defaultdict

from tests.source import TREES

TWICE: dict[str, str] = {}
"""Names that two modules define, each with the reason. May only shrink."""


def defined(tree: ast.Module) -> set[str]:
    """Public classes, functions, type aliases and variables at module level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found = {target.id for target in targets if isinstance(target, ast.Name)}
            names |= {name for name in found if not name.isupper()}
    return {name for name in names if not name.startswith("_")}


def test_no_public_name_is_defined_in_two_modules() -> None:
    places = defaultdict(list)
    for module, tree in TREES.items():
        for name in defined(tree):
            places[name].append(module)

    twice = {name: found for name, found in places.items() if len(found) > 1}

    assert {} == {name: found for name, found in twice.items() if name not in TWICE}
    assert [] == [name for name in TWICE if name not in twice], "no longer needed: take it off"


def test_definitions_of_each_kind_are_found_and_constants_are_not() -> None:
    tree = ast.parse("class A: ...\ndef b(): ...\nCee = int\ndee: int = 1\n_e = FF = 2")

    assert {"A", "b", "Cee", "dee"} == defined(tree)
