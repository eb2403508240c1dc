"""Trees laid over each other."""

import pytest

from proxy.settings.faults import Place
from proxy.settings.tree import Items, Keys, Leaf, is_text, overlay, place_of, step

BELOW, ABOVE = Place("below"), Place("above")


def leaf(text, place=BELOW, **unusual):
    return Leaf(text, place, **unusual)


def section(place=BELOW, **nodes):
    keys = Keys(place)
    for key, node in nodes.items():
        keys.put(key, node, place)
    return keys


def test_sections_are_laid_over_each_other_key_by_key():
    below = section(a=leaf("1"), b=section(c=leaf("2"), d=leaf("3")))
    above = section(ABOVE, b=section(ABOVE, d=leaf("4", ABOVE)), e=leaf("5", ABOVE))

    merged = overlay(below, above)

    assert merged == Keys(
        ABOVE,
        {
            "a": leaf("1"),
            "b": Keys(ABOVE, {"c": leaf("2"), "d": leaf("4", ABOVE)}, {"c": BELOW, "d": ABOVE}),
            "e": leaf("5", ABOVE),
        },
        {"a": BELOW, "b": ABOVE, "e": ABOVE},
    )


def test_lists_are_replaced_whole():
    above = Items(ABOVE, [leaf("2", ABOVE)])

    assert overlay(Items(BELOW, [leaf("1"), leaf("1")]), above) == above


def test_a_section_left_empty_hides_nothing():
    below = section(a=leaf("1"))

    assert overlay(below, leaf("", ABOVE)) == below


def test_a_value_in_place_of_a_section_stays_to_be_refused():
    assert overlay(section(a=leaf("1")), leaf("x", ABOVE)) == leaf("x", ABOVE)


def test_what_is_nowhere_is_nothing():
    assert overlay(None, None) is None
    assert overlay(leaf("1"), None) == leaf("1")


@pytest.mark.parametrize(
    ("node", "is_null"),
    [
        pytest.param(leaf(""), True, id="nothing"),
        pytest.param(leaf("~"), True, id="tilde"),
        pytest.param(leaf("null"), True, id="null"),
        pytest.param(leaf("null", quoted=True), False, id="quoted"),
        pytest.param(leaf("", given=True), False, id="an empty variable is empty text"),
        pytest.param(leaf("null", given=True), True, id="a variable can say null"),
        pytest.param(leaf("none"), False, id="another word"),
    ],
)
def test_null(node, is_null):
    assert node.is_null == is_null


def test_text_is_what_a_good_leaf_has():
    keys = section(a=leaf("1"), b=leaf("null"), c=leaf("x", broken=True), d=Items(BELOW))

    assert [keys.text(key) for key in "abcde"] == ["1", None, None, None, None]


def test_a_place_is_that_of_the_nearest_piece():
    tree = section(a=Items(ABOVE, [leaf("1", Place("x"))]))

    assert place_of(tree, ("a", 0)) == Place("x")
    assert place_of(tree, ("a", 1)) == ABOVE
    assert place_of(tree, ("b", "c")) == BELOW


def test_a_step_goes_down_by_key_or_index():
    tree = section(a=Items(BELOW, [leaf("1")]))

    assert step(step(tree, "a"), 0) == leaf("1")
    assert step(tree, 0) is None
    assert step(leaf("1"), "a") is None


def test_stray_bytes_are_no_text():
    assert is_text("é")
    assert not is_text("\udcff")
