"""Builds the wheel, its request path compiled where this machine can; else plain Python.

pip calls it (PEP 517); `setup.py` uses the two classes. What was built, and why, stands in
`proxy/built.txt`, where `sidelight version` finds it.
SIDELIGHT_COMPILE: `require` fails where it cannot be compiled, `never` does not try.
An editable installation is never compiled: it runs from the source.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.util import find_spec
from pathlib import Path

import setuptools
from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  # the hooks that stay as they are
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent


def get_requires_for_build_wheel(config_settings=None):
    return [*build_meta.get_requires_for_build_wheel(config_settings), *tools()]


def tools():
    """What compiling needs, where it can be done: with mypyc all whose types are read."""
    if no_compiler():
        return []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["store"], *extras["compile"]]
    return [line for line in wanted if not line.startswith(project["name"])]


def no_compiler():
    """Why nothing can be compiled on this machine; None where it can."""
    if os.environ.get("SIDELIGHT_COMPILE") == "never":
        return "SIDELIGHT_COMPILE was never"
    if shutil.which(os.environ.get("CC", "cc")) is None:
        return "there was no C compiler"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "there were no headers of Python"
    return None


def why_interpreted():
    """Why nothing is compiled here; None where it will be tried."""
    return no_compiler() or (None if find_spec("mypyc") else "there was no mypyc")


class Distribution(setuptools.Distribution):
    """Says of which kind the wheel is: for this platform, or for all."""

    def has_ext_modules(self):
        return why_interpreted() is None


class BuildPy(build_py):
    """Copies the source, then compiles what was copied."""

    def run(self):
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # an older wheel's modules
        super().run()
        if not self.editable_mode:
            built = _compiled(self.build_lib)
            Path(self.build_lib, "proxy", "built.txt").write_text(f"{built}\n")


def _compiled(root):
    """Compile in place; what came of it, in words. Raises SystemExit where it was required."""
    reason = why_interpreted()
    if reason is None:
        command = [sys.executable, str(ROOT / "deploy" / "compile.py"), root]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        reason = f"compiling failed\n{done.stdout}{done.stderr}" if done.returncode else None
    if reason and os.environ.get("SIDELIGHT_COMPILE") == "require":
        raise SystemExit(f"not compiled: {reason}")
    return reason.partition("\n")[0] if reason else "compiled"
