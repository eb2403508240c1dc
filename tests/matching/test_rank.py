"""Which of two routes is the more specific one, as far as conditions go."""

import pytest

from proxy.matching.rank import specificity
from proxy.settings.sections import Match


def rank(**match: object) -> tuple[int, ...]:
    return specificity(Match.model_validate(match))


A, AB = {"x-a": "1"}, {"x-a": "1", "x-b": "1"}


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        pytest.param({"path": "/a"}, {"path": "/", "headers": A}, id="a path before conditions"),
        pytest.param({"methods": ["GET"]}, {"headers": A}, id="methods before conditions"),
        pytest.param({"headers": A}, {}, id="a header before none"),
        pytest.param({"headers": AB}, {"headers": A}, id="two headers before one"),
        pytest.param({"query": {"a": "1"}}, {}, id="a parameter before none"),
        pytest.param({"headers": A}, {"query": {"a": "1"}}, id="a header before a parameter"),
        pytest.param({"headers": A}, {"headers": {"x-a": "*"}}, id="a value before presence"),
        pytest.param(
            {"headers": {"x-a": "*", "x-b": "*"}}, {"headers": A}, id="more before more exact"
        ),
    ],
)
def test_the_more_specific_one_is_smaller(
    winner: dict[str, object], loser: dict[str, object]
) -> None:
    assert rank(**winner) < rank(**loser)
