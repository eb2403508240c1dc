"""The JSON Schema for editors."""

import json

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
