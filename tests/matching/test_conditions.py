"""Conditions on headers and parameters."""

import pytest

from proxy.matching.conditions import Asked, Condition, conditions_of
from proxy.settings.sections import Match


def asked(target: str = "/", **headers: str) -> Asked:
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Asked(fields, target)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        pytest.param("big", True, id="the value"),
        pytest.param("huge", True, id="another of several"),
        pytest.param("Big", False, id="case matters"),
        pytest.param("big, big", False, id="lines of one name are one value"),
        pytest.param("bigger", False, id="values are compared whole"),
        pytest.param("*", False, id="a client cannot ask for any"),
    ],
)
def test_a_header_has_one_of_the_values(value: str, fits: bool) -> None:
    condition = Condition("header", "x-model", ("big", "huge"))

    assert fits is condition.fits(asked(x_model=value))


def test_a_header_that_is_not_there_fits_nothing() -> None:
    assert not Condition("header", "x-model", ("*",)).fits(asked(x_other="big"))
    assert not Condition("header", "x-model", ("",)).fits(asked())


def test_any_value_will_do_where_presence_is_asked_for() -> None:
    assert Condition("header", "x-beta", ("*",)).fits(asked(x_beta=""))
    assert Condition("query", "beta", ("*",)).fits(asked("/?beta"))


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        pytest.param("model=big", True, id="the value"),
        pytest.param("a=1&model=big&b", True, id="among others"),
        pytest.param("mo%64el=b%69g", True, id="encoded"),
        pytest.param("model=big&model=small", True, id="the first counts"),
        pytest.param("model=small&model=big", False, id="not a later one"),
        pytest.param("Model=big", False, id="names are compared with their case"),
        pytest.param("model=big#x", False, id="values are compared whole"),
        pytest.param("model", False, id="no value"),
        pytest.param("", False, id="no query"),
    ],
)
def test_a_parameter_has_the_value(query: str, fits: bool) -> None:
    assert fits is Condition("query", "model", ("big",)).fits(asked(f"/?{query}"))


def test_a_plus_in_a_query_is_a_blank() -> None:
    assert Condition("query", "q", ("a b",)).fits(asked("/?q=a+b"))


def test_a_header_that_a_preflight_announces_fits_whatever_its_value_will_be() -> None:
    announced = Asked({}, "/", announced=frozenset({"x-model"}))

    assert Condition("header", "x-model", ("big",)).fits(announced)
    assert not Condition("query", "x-model", ("big",)).fits(announced)


def test_what_is_unmet_is_told_without_what_the_client_sent() -> None:
    condition = Condition("header", "x-model", ("b", "a"))

    assert "header x-model is missing" == condition.unmet(asked())
    assert "header x-model is not a or b" == condition.unmet(asked(x_model="other"))


def test_of_many_values_some_are_told() -> None:
    condition = Condition("query", "m", ("a", "b", "c", "d"))

    assert "query m is not a or b or c …" == condition.unmet(asked("/?m=x"))


def test_the_conditions_of_a_route_are_headers_and_parameters() -> None:
    match = Match(headers={"X-A": "1"}, query={"b": ["1", "2"]})

    assert [("header", "x-a"), ("query", "b")] == [each.key for each in conditions_of(match)]
