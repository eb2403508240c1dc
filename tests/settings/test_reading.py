"""YAML read with places, without YAML's types and without its bombs."""

import re

import pytest

from proxy.settings.faults import Place, SettingsError
from proxy.settings.reading import DEEPEST, MOST_PIECES, read, read_value
from proxy.settings.tree import Items, Keys, Leaf

TAGS = "tags are not supported; put quotes around a value that begins with !"


def test_every_piece_has_its_place():
    tree, faults = read("a: 1\nb:\n  - c\n  - { d: 'e' }\n", "x", {})
    inner = Keys(Place("x", 4, 5), {"d": Leaf("e", Place("x", 4, 10), quoted=True)})
    inner.key_places = {"d": Place("x", 4, 7)}

    assert faults == []
    assert tree.nodes == {
        "a": Leaf("1", Place("x", 1, 4)),
        "b": Items(Place("x", 3, 3), [Leaf("c", Place("x", 3, 5)), inner]),
    }
    assert tree.key_places == {"a": Place("x", 1, 1), "b": Place("x", 2, 1)}


@pytest.mark.parametrize("text", ["off", "22:22", "1e3", "0x1F", "2026-01-01", "1_000", "010"])
def test_yaml_guesses_no_types(text):
    tree, _ = read(f"a: {text}", "x", {})

    assert tree.text("a") == text


def test_a_variable_is_put_into_a_value_but_not_into_a_key():
    tree, faults = read('"${A}": "${A} $${A}"', "x", {"A": "1"})

    assert faults == []
    assert tree.nodes == {"${A}": Leaf("1 ${A}", Place("x", 1, 9), quoted=True, given=True)}


def test_an_alias_is_a_copy_at_the_place_of_its_anchor():
    tree, _ = read("a: &a [1]\nb: *a\n", "x", {})

    assert tree.nodes["b"] == tree.nodes["a"]
    assert tree.nodes["b"] is not tree.nodes["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "x:2:1: a: this key is there twice; the first is in line 1"),
        (
            "a: {<<: {b: 1}}",
            (
                "x:1:5: a.<<: merge keys are not supported; "
                "keys that routes share belong into a policy"
            ),
        ),
        (
            "a: !!int 5",
            f"x:1:4: a: {TAGS}",
        ),
        ("? [a]\n: b", "x:1:3: a key must be text"),
        ("a: ${B}", "x:1:4: a: the variable B is not set; set it, or give a default: ${B:-...}"),
        ('a: "\\uD800"', "x:1:4: a: has bytes or characters in it that are not UTF-8 text"),
        ('"\\uD800": 1', "x:1:1: has a key that is not text"),
    ],
)
def test_a_piece_that_cannot_stand_is_a_fault(text, message):
    _, faults = read(text, "x", {})

    assert [str(fault) for fault in faults] == [message]


def test_all_faults_are_found_at_once():
    _, faults = read("a: ${B}\na: 1\nc: !x y", "x", {})

    assert [str(fault.place) for fault in faults] == ["x:1:4", "x:2:1", "x:3:4"]


_BOMB = "a: &a [" + ",".join("x" * 30) + "]\n"
_BOMB += "b: &b [" + ",".join(["*a"] * 30) + "]\nc: [" + ",".join(["*b"] * 30) + "]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "x: is empty; it needs at least upstreams and routes", id="empty"),
        pytest.param("# a", "x: is empty; it needs at least upstreams and routes", id="comment"),
        pytest.param(
            "- a", "x:1:1: must be a section of keys, such as upstreams and routes", id="a list"
        ),
        pytest.param("a: b: c", "x:1:5: is not YAML: mapping values are not allowed here", id="::"),
        pytest.param(
            "a: {b",
            "x:1:6: is not YAML: while parsing a flow mapping "
            "expected ',' or '}', but got '<stream end>'",
            id="unclosed",
        ),
        pytest.param(
            "a: 1\nmatch: { path: /users/{id}/x }",
            'x:2:23: is not YAML: text with braces needs quotes here: "/users/{id}/x"',
            id="a capture without quotes",
        ),
        pytest.param(
            "listen: { port: ${PORT:-8080} }",
            'x:1:18: is not YAML: text with braces needs quotes here: "${PORT:-8080}"',
            id="a variable without quotes",
        ),
        pytest.param(
            "a: ['b{c}', http://${HOST}:1]",
            'x:1:21: is not YAML: text with braces needs quotes here: "http://${HOST}:1"',
            id="a variable within text in a list",
        ),
        pytest.param(
            "a: { b: 'x{y}', c: d: e }",
            "x:1:21: is not YAML: while parsing a flow mapping expected ',' or '}', but got ':'",
            id="not the braces",
        ),
        pytest.param("a: *b", "x:1:4: is not YAML: found undefined alias", id="no anchor"),
        pytest.param(
            "a: b\n---\nc: d",
            "x:2:1: is not YAML: expected a single document in the stream "
            "but found another document",
            id="two documents",
        ),
        pytest.param(
            "a: \0", "x: is not text: the character U+0000 cannot stand in YAML", id="binary"
        ),
        pytest.param(
            _BOMB,
            f"x: has more than {MOST_PIECES} values, aliases counted each time",
            id="an alias bomb",
        ),
        pytest.param("a: &a [*a]", f"x: is nested deeper than {DEEPEST} levels", id="in itself"),
        pytest.param("[" * 500, f"x: is nested deeper than {DEEPEST} levels", id="too deep"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_fault(text, message):
    with pytest.raises(SettingsError) as refused:
        read(text, "x", {})

    assert str(refused.value) == message


def test_a_value_in_a_variable_has_the_place_of_the_variable():
    place = Place("env A")

    assert read_value("[a, '${B}']", place) == Items(
        place, [Leaf("a", place), Leaf("${B}", place, quoted=True)]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", '"[a" cannot be read as YAML'),
        ("[" * 500, f'"{"[" * 500}" cannot be read as YAML'),
        ("[!x a]", TAGS),
    ],
)
def test_a_value_in_a_variable_that_is_no_yaml_is_refused(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read_value(text, Place("env A"))
