"""The files of `config/` and the page on settings say what the models say."""

import re
from itertools import pairwise

import pytest

from proxy.settings.load import load, parse
from proxy.settings.reading import read
from proxy.settings.shipped import shipped
from proxy.settings.tree import Items, Keys

ROW = re.compile(r"\| `([^`]+)` \| (.+?) \| (.+) \|")
POLICY_KEYS = (
    "timeouts",
    "retry",
    "breaker",
    "stream",
    "rate_limit",
    "concurrency",
    "require_https",
    "hsts",
    "content_types",
    "message",
    "headers",
    "max_body",
    "max_response",
    "fallback",
    "server_timing",
    "cors",
)


MAPS = ("tracing.headers", "tracing.resource")
"""Keys whose value is text by names of the user's own."""


@pytest.fixture(scope="module")
def full(root):
    return (root / "config" / "sidelight.yaml").read_text()


def written(node, path=""):
    """The keys of a file, in the form of the documentation."""
    if isinstance(node, Items) and any(isinstance(item, Keys) for item in node.nodes):
        for item in node.nodes:
            yield from written(item, f"{path}[]")
    elif isinstance(node, Keys) and node.nodes and path not in MAPS:
        named = path in ("upstreams", "policies", "observe.fields") or ".headers.re" in path
        named = named and not path.endswith(("request", "response"))
        for key, below in node.nodes.items():
            if path == "routes[]" and key in POLICY_KEYS:
                yield f"{path}.{key}"
            else:
                part = "<name>" if named else key
                yield from written(below, f"{path}.{part}".removeprefix("."))
    else:
        yield path


def test_the_full_file_shows_every_key_and_no_other(full, keys):
    tree, faults = read(full.replace("#: ", ""), "full", {})
    found = set(written(tree))

    assert faults == []
    assert found == set(keys)


def test_the_full_file_with_its_examples_is_good(full):
    assert parse(full.replace("#: ", "")).observe.fields


def test_the_full_file_shows_nothing_but_defaults(full):
    bare = """
upstreams: { chat: { endpoints: ["http://127.0.0.1:8000"] } }
routes: [{ name: all, match: {}, upstream: chat }]
"""

    assert parse(full) == parse(bare)


def test_the_full_file_shows_the_shipped_policies(full):
    policies = read(full, "full", {})[0].section("policies")

    assert list(policies.nodes) == list(shipped().nodes)
    for name, policy in shipped().nodes.items():
        if name != "default":
            assert set(written(policies.nodes[name])) == set(written(policy))


def test_every_key_of_the_full_file_has_a_comment(full):
    """Above the key; a line of several keys stands for a shipped policy."""
    lines = full.splitlines()
    bare = [
        line
        for above, line in pairwise(lines)
        if re.match(r" *(- )?\w+: *[^{ ]", line) and "{" not in line
        if not above.strip().startswith("#")
    ]

    assert bare == []


def test_the_minimal_file_is_the_chat_example(root):
    settings = load(root / "config" / "minimal.yaml", {})

    assert [
        (route.name, route.match.path, route.match.methods, route.policy)
        for route in settings.routes
    ] == [("chat", "/api/chat", ("POST",), "streamed-chat"), ("rest", "/", (), "default")]
    assert settings.routes[0].retry.on == ("connect",)


@pytest.fixture(scope="module")
def documented(root):
    page = (root / "docs" / "configuration.md").read_text()
    sections = page[page.index("## The process") :]
    return {row[1]: row[2] for row in ROW.finditer(sections)}


def test_every_key_is_documented_and_no_other(documented, keys):
    assert set(documented) == set(keys)


def in_words(path, shape):
    if path == "routes[].cors":
        return "`cors` for all"
    if path.startswith("routes[].") and path.removeprefix("routes[].") in POLICY_KEYS:
        return "the policy's"
    if path in MAPS:
        return "`{}`"
    if "default" not in shape.schema:
        return "`{}`" if shape.named else "required"
    match default := shape.schema["default"]:
        case None:
            return "`null`"
        case bool():
            return f"`{str(default).lower()}`"
        case list():
            return f"`[{', '.join(map(str, default))}]`"
    return f"`{shape.as_text(default)}`"


def test_every_default_is_documented(documented, keys):
    assert documented == {path: in_words(path, shape) for path, shape in keys.items()}
