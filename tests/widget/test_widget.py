"""The widget client: its own tests on Node, and what is said of it."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIDGET = ROOT / "deploy" / "widget"
SOURCE, SMALL = WIDGET / "sidelight.js", WIDGET / "sidelight.min.js"
SMALL_LIMIT = 6 * 1024
EXPORT = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("the widget client is not tested: it needs Node (apt-get install nodejs)")
    assert found, "CI must have Node: apt-get install nodejs"
    return found


@pytest.mark.parametrize("module", [SOURCE, SMALL], ids=lambda module: module.name)
def test_it_keeps_its_rules_on_node(node, module):
    tests = Path(__file__).with_name("sidelight.test.mjs")
    done = subprocess.run(
        [node, "--test", str(tests)],
        env=os.environ | {"WIDGET": module.as_uri()},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout


def test_it_is_small_and_loads_nothing():
    source = SOURCE.read_text()

    assert len(SMALL.read_bytes()) < SMALL_LIMIT
    assert not re.search(r"\bimport\b|\brequire\b|https?:", source)


def test_the_small_one_is_made_of_the_source():
    """npx esbuild --minify --format=esm, below a line that names the hash of the source."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()

    assert f"// sidelight.js sha256:{digest}" == SMALL.read_text().splitlines()[0]


def test_its_types_name_what_it_exports():
    types = re.findall(r"^export (?:function|class) (\w+)", _types(), re.MULTILINE)

    assert sorted(EXPORT.findall(SOURCE.read_text())) == sorted(types)


def _types() -> str:
    return (WIDGET / "sidelight.d.ts").read_text()


def test_its_page_names_every_function_and_its_size():
    page = (WIDGET / "README.md").read_text()
    sizes = [f"| {len(file.read_bytes())} |" for file in (SOURCE, SMALL)]

    assert [name for name in EXPORT.findall(SOURCE.read_text()) if f"`{name}" not in page] == []
    assert [size for size in sizes if size not in page] == []


def test_the_demo_page_uses_this_module():
    assert SOURCE.read_bytes() == (ROOT / "proxy" / "demo" / "sidelight.js").read_bytes()
