"""The JSON Schema for editors."""

import json
import re
from typing import ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from proxy.settings.json_schema import json_schema


def key(section, name):
    return json_schema()["$defs"][section]["properties"][name]


def test_defaults_are_written_with_their_units():
    assert key("Listen", "keep_alive")["default"] == "75s"
    assert key("Listen", "uri_bytes")["default"] == "16KiB"
    assert key("Listen", "port")["default"] == 8080


def test_a_route_has_no_defaults_where_its_policy_decides():
    for name in ("timeouts", "retry", "breaker", "max_body", "cors"):
        assert "default" not in key("ResolvedRoute", name)
    assert key("Policy", "max_body")["default"] == "128MiB"


def test_sections_have_no_defaults_beside_those_of_their_keys():
    assert "default" not in json_schema()["properties"]["listen"]


def test_unknown_keys_are_refused():
    schema = json_schema()

    assert schema["additionalProperties"] is False
    assert [s["title"] for s in schema["$defs"].values() if "properties" in s] == [
        s["title"] for s in schema["$defs"].values() if s.get("additionalProperties") is False
    ]


def test_the_file_is_current(root):
    """Made by `sidelight schema > config/schema.json`."""
    written = (root / "config" / "schema.json").read_text()

    assert written == json.dumps(json_schema(), indent=2) + "\n"


def test_every_key_says_what_it_means(keys):
    assert [
        path
        for path, shape in keys.items()
        if not shape.schema.get("description")
        and not any(option.get("description") for option in shape.options())
    ] == []


class Editor(yaml.SafeLoader):
    """Reads as editors do: YAML 1.2, in which `on` and `off` are text."""

    yaml_implicit_resolvers: ClassVar[dict] = {}  # type: ignore[misc]


for tag, form in [
    ("bool", "true|false"),
    ("int", "-?[0-9]+"),
    ("float", r"-?[0-9]+\.[0-9]+"),
    ("null", "null|~|"),
]:
    Editor.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{form})$"), None)


def wrongs(text):
    """What the schema says is wrong with a file."""
    read = yaml.load(text, Editor)
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(json_schema()).iter_errors(read)
    ]


@pytest.mark.parametrize("name", ["minimal.yaml", "sidelight.yaml"])
def test_our_own_files_are_good_with_their_examples(root, name):
    assert wrongs((root / "config" / name).read_text().replace("#: ", "")) == []


BARE = """
upstreams: { a: { endpoints: ["http://a:1"] } }
routes: [{ name: r, match: {}, upstream: a }]
"""


@pytest.mark.parametrize(
    "text",
    [
        'listen: { port: "${PORT:-8080}" }',
        'listen: { keep_alive: "${KEEP}", header_bytes: "${BYTES}" }',
        'log: { level: "${LEVEL:-info}", sample: "${SAMPLE}" }',
        'policies: { a: { breaker: { enabled: "${BREAKER}" } } }',
        'policies: { a: { retry: { statuses: "${STATUSES}", on: ["${ON}"] } } }',
        'trusted_proxies: ["${NETWORK}"]',
        'admin: { token: "${TOKEN}" }',
    ],
)
def test_a_variable_may_stand_for_any_value(text):
    assert wrongs(BARE + text) == []


@pytest.mark.parametrize(
    "text",
    [
        'listen: { port: "8080x" }',
        "listen: { port: 65536 }",
        "listen: { keep_alive: 75 }",
        'listen: { keep_alive: "$KEEP" }',
        "log: { level: loud }",
        "policies: { a: { breaker: off } }",
        "policies: { a: { retry: { on: [conect] } } }",
        "listen: { prot: 1 }",
    ],
)
def test_what_is_wrong_is_wrong_for_editors_too(text):
    assert len(wrongs(BARE + text)) == 1
