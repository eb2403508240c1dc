"""What happened around an exchange, as the record keeps it."""

import pytest

from proxy.diagnostics.stories.around import around_of


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"[1]", {}, id="what is no set of parts"),
        pytest.param(b'{"usual": {"n": 1}, "brief": "b"}', {"usual": {"n": 1}}, id="parts"),
    ],
)
def test_the_parts_are_told_without_what_only_the_log_has(exchange_of, kept, told) -> None:
    x = exchange_of()
    x.around = kept

    assert told == around_of(x)
