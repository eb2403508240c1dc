"""What may be said of limits."""

import pytest
from pydantic import ValidationError

from proxy.limits.rules import ByRequest, RateRule


@pytest.mark.parametrize(
    ("rate", "count", "period"),
    [("10/1m", 10, 60), ("1/1s", 1, 1), ("500/1h", 500, 3600), ("2/30d", 2, 2_592_000)],
)
def test_a_rate_is_a_number_in_a_length_of_time(rate, count, period):
    rule = RateRule(rate=rate)

    assert (count, period, count) == (rule.count, rule.period, rule.at_once)
    assert RateRule(rate=rate, burst=7).at_once == 7


@pytest.mark.parametrize("rate", ["10", "10/m", "0/1m", "10/500ms", "10/0s", "1/31d", "a/1m", ""])
def test_what_is_no_rate_is_refused_with_the_remedy(rate):
    with pytest.raises(ValidationError, match=r"is not a rate; .* such as 10/1m"):
        RateRule(rate=rate)


@pytest.mark.parametrize(
    ("by", "complaint"),
    [
        ("ip", '"ip" tells nobody apart; write address, all, or one of'),
        ({}, "must have exactly one of header, cookie and field"),
        ({"header": "A", "cookie": "b"}, "must have exactly one of header, cookie and field"),
        ({"header": "a b"}, '"a b" is not the name of a header'),
        ({"cookie": "a=b"}, '"a=b" is not the name of a cookie'),
    ],
)
def test_who_cannot_be_told_apart_is_refused(by, complaint):
    with pytest.raises(ValidationError, match=complaint) as refused:
        RateRule(rate="1/1m", by=by)

    assert 1 == refused.value.error_count()


@pytest.mark.parametrize("kind", ["header", "cookie", "field"])
def test_a_part_of_the_request_tells_clients_apart(kind):
    rule = RateRule(rate="1/1m", by={kind: "X"})

    assert isinstance(rule.by, ByRequest)
    assert (kind, "X") == rule.by.source


@pytest.mark.parametrize("name", ['a"b', "a b", "", "x" * 65])
def test_a_name_can_stand_in_a_header_as_it_is(name):
    with pytest.raises(ValidationError, match="is not a name"):
        RateRule(rate="1/1m", name=name)
