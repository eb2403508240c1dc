"""Lists and sections in variables."""

import pytest

from proxy.settings.faults import Place
from proxy.settings.schema import shape
from proxy.settings.tree import Items, Keys, Leaf
from proxy.settings.unfolding import unfold

HERE = Place("env X")


def unfolded(key, text, **unusual):
    leaf = Leaf(text, HERE, **{"given": True, **unusual})
    tree = Keys(HERE, {key: leaf}, {key: HERE})
    faults = unfold(tree, shape())
    return tree.nodes[key], [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("10.0.0.0/8, ::1,", ["10.0.0.0/8", "::1"]),
        ("[10.0.0.0/8, '::1']", ["10.0.0.0/8", "::1"]),
        ("", []),
    ],
)
def test_a_list_is_given_by_commas_or_as_yaml(text, items):
    node, faults = unfolded("trusted_proxies", text)

    assert faults == []
    assert isinstance(node, Items)
    assert [item.text for item in node.nodes] == items


def test_a_section_is_given_as_yaml():
    node, faults = unfolded("listen", "{ port: 1 }")

    assert faults == []
    assert node == Keys(HERE, {"port": Leaf("1", HERE)}, {"port": HERE})


def test_lists_deep_in_a_variable_are_unfolded_too():
    tree = Keys(HERE)
    methods = Leaf("GET,PUT", HERE)
    methods.given = True
    match = Keys(HERE, {"methods": methods})
    routes = Items(HERE, [Keys(HERE, {"match": match})])
    tree.put("routes", routes, HERE)

    assert unfold(tree, shape()) == []
    assert [node.text for node in match.items("methods")] == ["GET", "PUT"]


@pytest.mark.parametrize(
    ("key", "text", "unusual"),
    [
        pytest.param("service", "[a]", {}, id="where text is wanted"),
        pytest.param("trusted_proxies", "a,b", {"given": False}, id="text of the file"),
        pytest.param("trusted_proxies", "null", {}, id="null"),
        pytest.param("trusted_proxies", "[", {"broken": True}, id="broken text"),
        pytest.param("listen", "80", {}, id="no section"),
        pytest.param("unknown", "[a]", {}, id="an unknown key"),
    ],
)
def test_other_text_stays(key, text, unusual):
    node, faults = unfolded(key, text, **unusual)

    assert faults == []
    assert isinstance(node, Leaf)


def test_what_cannot_be_read_is_one_fault_and_broken():
    node, faults = unfolded("listen", "{ port")

    assert faults == ['env X: listen: "{ port" cannot be read as YAML']
    assert node.broken
