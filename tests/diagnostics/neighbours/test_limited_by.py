"""Whom a limit counts for stands in the words of its refusal."""

import pytest

from proxy.diagnostics.neighbours.limited_by import limited_by


@pytest.mark.parametrize(
    ("detail", "by"),
    [
        ("rate_limit chat: no leave for 0.6 s (60/1m, burst 30, by user_id 63dff5f4)", "user_id"),
        ("rate_limit chat: no leave for 0.1 s (60/1m, burst 60, by address 127.0.0.1)", "address"),
        ("2 under way already, by user_id b3ccd013", "user_id"),
        ("concurrency.limit: 1 under way", ""),
        (None, ""),
    ],
)
def test_it_is_the_last_word_but_one(exchange_of, detail, by) -> None:
    assert limited_by(exchange_of("rate_limited", detail=detail)) == by
