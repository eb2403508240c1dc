"""What is compiled, and that whoever runs it can tell."""

import ast
import importlib.util
from pathlib import Path

import mypyc
import pytest

import proxy.forward
from proxy import __version__
from proxy.cli import main

ROOT = Path(__file__).resolve().parent.parent

INTERPRETED = {
    "__init__": "the version",
    "__main__": "runs once",
    "app": "runs once",
    "cli": "runs once",
    "knobs": "pydantic",
    "listener": "inherits from aiohttp",
    "supervisor": "runs once",
}
"""Modules at the top of `proxy/` that are not compiled, with the reason."""

spec = importlib.util.spec_from_file_location("compile_tree", ROOT / "deploy" / "compile.py")
compiling = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compiling)


def test_each_module_of_the_way_is_compiled_or_says_why_not() -> None:
    top = {path.stem for path in (ROOT / "proxy").glob("*.py")}

    assert top - set(compiling.COMPILED["."].split()) == set(INTERPRETED)


@pytest.mark.parametrize("path", compiling.paths())
def test_nothing_compiled_needs_what_compiling_takes_away(path: str) -> None:
    """pydantic looks into functions, which are not there any more."""
    imported = {
        name.name.partition(".")[0] if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }

    assert imported.isdisjoint({"pydantic", "proxy.knobs"})


def test_what_is_called_for_faults_is_cold_as_the_runtime_declares_it() -> None:
    runtime = Path(mypyc.__file__).parent / "lib-rt" / "CPy.h"
    header = " ".join(compiling.cold_header(runtime.read_text()).split())

    assert header.startswith("#include <Python.h> void ")
    assert (
        "void CPy_AddTraceback(const char *filename, const char *funcname, int line, "
        "PyObject *globals) __attribute__((cold));" in header
    )


def test_a_runtime_of_other_names_compiles_unmarked() -> None:
    assert "#include <Python.h>\n" == compiling.cold_header("int CPy_Other(void);\n")


def test_what_was_compiled_runs_compiled() -> None:
    """`make test COMPILED=1` marks its tree; without this it could test the wrong one."""
    assert proxy.forward.__file__.endswith(".so") is (ROOT / ".done").exists()


def test_the_version_says_whether_it_is_compiled(capsys) -> None:
    compiled = proxy.forward.__file__.endswith(".so")
    kind = "compiled" if compiled else "interpreted: it runs from its source"

    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"sidelight {__version__} ({kind})\n"
