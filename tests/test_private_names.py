"""aiohttp is used by its public names: private ones change without a word."""

import ast
import inspect
from pathlib import Path
from typing import cast

import aiohttp
import pytest

ROOT = Path(__file__).parents[1]
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "proxy").rglob("*.py"))
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def sources_of(node: ast.AST) -> list[str]:
    """Where an import takes its names from, and which."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def of_aiohttp(tree: ast.AST) -> list[str]:
    found = [name for node in ast.walk(tree) for name in sources_of(node)]
    return [name for name in found if name.partition(".")[0] == "aiohttp"]


def attributes(tree: ast.AST) -> set[str]:
    """Private attributes that are used, on whatever object."""
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    texts = {
        str(node.args[1].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("getattr", "setattr", "hasattr", "delattr")
        and isinstance(node.args[1], ast.Constant)
    }
    return {name for name in found | texts if is_private(name)}


def defined(tree: ast.AST) -> set[str]:
    """Private names that its own classes define: attributes, methods, class variables."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                names.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if is_private(name)}


def bases(tree: ast.AST) -> list[type]:
    """Classes of aiohttp that are inherited from."""
    found = []
    for node in ast.walk(tree):
        for base in node.bases if isinstance(node, ast.ClassDef) else []:
            of = getattr(base, "value", None)
            if isinstance(of, ast.Name) and of.id in ("web", "aiohttp"):
                module = aiohttp.web if of.id == "web" else aiohttp
                found.append(getattr(module, cast("ast.Attribute", base).attr))
    return found


def private_names(base: type) -> set[str]:
    """Private names of a foreign class, those of its instances included."""
    names = {name for one in base.__mro__[:-1] for name in vars(one)}
    for one in base.__mro__[:-1]:
        if one.__module__.startswith("aiohttp"):
            names |= attributes(ast.parse(inspect.getsource(one)))
    return {name for name in names if is_private(name)}


HOSTS = [path for path, tree in TREES.items() if of_aiohttp(tree)]


@pytest.mark.parametrize("path", HOSTS)
def test_nothing_private_is_imported(path: str) -> None:
    private = [name for name in of_aiohttp(TREES[path]) if any(map(is_private, name.split(".")))]

    assert [] == private


@pytest.mark.parametrize("path", HOSTS)
def test_no_private_attribute_is_used_but_our_own(path: str) -> None:
    assert set() == attributes(TREES[path]) - defined(TREES[path])


@pytest.mark.parametrize("path", [path for path in HOSTS if bases(TREES[path])])
def test_our_private_names_are_none_of_aiohttps(path: str) -> None:
    """Set on a class of theirs, they would be theirs."""
    for base in bases(TREES[path]):
        assert set() == attributes(TREES[path]) & private_names(base)


def test_the_traffic_port_inherits_from_aiohttp() -> None:
    """So these tests look at something."""
    assert "proxy/listener.py" in HOSTS
    assert [aiohttp.web.Server] == bases(TREES["proxy/listener.py"])
    assert {"_connections", "_loop", "_kwargs"} <= private_names(aiohttp.web.Server)
