"""What stands at a JSON pointer, and whether all readers find the same there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.json_pointer import MOST_OBJECTS, doubled, resolve

DOCUMENT = {"a": {"b/c": 1, "d~e": 2, "": 3}, "l": [4, {"x": 5}], "0": 6}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/a/b~1c", 1),
        ("/a/d~0e", 2),
        ("/a/", 3),
        ("/l/0", 4),
        ("/l/1/x", 5),
        ("/0", 6),
        ("/l/2", None),
        ("/l/-", None),
        ("/l/x", None),
        ("/l/00", None),
        ("/l/\u0661", None),
        ("/a/b", None),
        ("/0/x", None),
    ],
)
def test_a_pointer_leads_to_what_rfc_6901_says(pointer, found):
    assert found == resolve(DOCUMENT, pointer)


TWICE = "a member is there twice on the way to "


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (b'{"m": "a", "m": "b"}', "/m", TWICE + "/m"),
        (b'{"m": "a", "\\u006d": "b"}', "/m", TWICE + "/m"),
        (b'{"a/b": "a", "a\\/b": "b"}', "/a~1b", TWICE + "/a~1b"),
        (b'{"a": {"m": 1}, "a": {}}', "/a/m", TWICE + "/a/m"),
        (b'{"a": {"m": 1, "m": 2}}', "/a/m", TWICE + "/a/m"),
        (b'{"l": [{"m": 1, "m": 2}]}', "/l/0/m", TWICE + "/l/0/m"),
        (b'{"l": [{"m": 1}, {"m": 2}]}', "/l/0/m", None),
        (b'{"m": "a", "x": {"m": "b"}}', "/m", None),
        (b'{"m": "m", "x": ["m"]}', "/m", None),
        (b'{"m": "\\u00fc"}', "/m", None),
        (b'{"x": 1, "x": 2, "m": "a"}', "/m", None),
        (b'["m", "m"]', "/m", None),
        (b'{"m": 1, "x": "\\u0061", "y": ' + b"9" * 5000 + b"}", "/m",
         "not the same for all readers of JSON"),
        (b'{"m": "\\u0061", "x": [' + b"{}," * MOST_OBJECTS + b"{}]}", "/m",
         f"more than {MOST_OBJECTS} objects, and perhaps a member twice"),
    ],
)  # fmt: skip
def test_a_member_that_is_there_twice(body, pointer, words):
    assert words == doubled(body, pointer)


NAMES = st.sampled_from(["m", "n", "a/b"])
PAIRS = st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=4)


@given(PAIRS, NAMES, st.booleans())
def test_it_is_found_whatever_way_names_are_written(pairs, name, is_escaped):
    def written(text: str) -> str:
        escaped = "".join(f"\\u{ord(sign):04x}" for sign in text)
        return f'"{escaped}"' if is_escaped else json.dumps(text)

    body = "{" + ",".join(f"{written(key)}:{json.dumps(value)}" for key, value in pairs) + "}"
    times = [key for key, _ in pairs].count(name)

    assert (times > 1) is (doubled(body.encode(), "/" + name.replace("/", "~1")) is not None)
