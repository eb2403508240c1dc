"""The wheel: what is in it, and what it says of itself.

`make test COMPILED=1` runs everything against a compiled one.
"""

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from proxy import __version__
from tests.house.house import ROOT

spec = importlib.util.spec_from_file_location("build_backend", ROOT / "deploy" / "build_backend.py")
backend = importlib.util.module_from_spec(spec)
spec.loader.exec_module(backend)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Of a machine without a compiler."""
    return built(tmp_path_factory.mktemp("wheel"), CC="nobody-has-this")


def built(home: Path, **env: str) -> Path:
    make = f"import build_backend; print(build_backend.build_wheel({str(home)!r}))"
    subprocess.run(
        [sys.executable, "-c", make],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "deploy")} | env,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return next(home.glob("*.whl"))


def test_without_a_compiler_it_is_for_every_platform(wheel):
    assert f"sidelight-{__version__}-py3-none-any.whl" == wheel.name


def test_it_holds_every_module_and_file_and_nothing_else(wheel):
    kinds = (".py", ".html", ".css", ".js", ".typed")
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "proxy").rglob("*")
        if path.suffix in kinds
    }
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}

    assert source | {"proxy/built.txt"} == held


def test_it_says_why_it_is_not_compiled(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
    said = subprocess.check_output(
        [sys.executable, "-m", "proxy", "version"], cwd=tmp_path, text=True, timeout=30
    )

    assert f"sidelight {__version__} (interpreted: there was no C compiler)\n" == said


def test_where_it_is_required_it_fails(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        built(tmp_path, CC="nobody-has-this", SIDELIGHT_COMPILE="require")

    assert "not compiled: there was no C compiler" in failed.value.stderr


def test_what_fails_to_compile_is_installed_as_it_is(monkeypatch):
    def fail(*_arguments, **_named):
        return subprocess.CompletedProcess([], 1, "", "error: no")

    monkeypatch.setattr(backend, "why_interpreted", lambda: None)
    monkeypatch.setattr(backend.subprocess, "run", fail)

    assert "compiling failed" == backend._compiled("anywhere")

    monkeypatch.setenv("SIDELIGHT_COMPILE", "require")
    with pytest.raises(SystemExit, match="error: no"):
        backend._compiled("anywhere")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("SIDELIGHT_COMPILE", "never", "SIDELIGHT_COMPILE was never", id="told not to"),
        pytest.param("CC", "nobody-has-this", "there was no C compiler", id="no compiler"),
    ],
)
def test_what_compiles_is_fetched_only_where_it_can_be_used(monkeypatch, name, value, reason):
    monkeypatch.setenv(name, value)

    assert reason == backend.no_compiler()
    assert [] == backend.tools()


def test_what_compiles_reads_the_types_of_all_that_is_imported(monkeypatch):
    monkeypatch.setattr(backend, "no_compiler", lambda: None)
    wanted = {re.split("[^A-Za-z-]", line)[0] for line in backend.tools()}

    assert {"aiohttp", "mypy", "SQLAlchemy", "types-PyYAML"} <= wanted
    assert "sidelight" not in wanted


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_nobody_is_told_to_install_a_name_that_is_not_ours(page):
    assert not re.search(r"pip install +['\"]?sidelight", page.read_text())
