"""Sessions of browsers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.session import LASTS, Sessions

TOKEN = "sixteen-letters!"


def test_the_right_token_begins_a_session_that_lasts_a_shift() -> None:
    sessions = Sessions(TOKEN)
    cookie = sessions.begin(f" {TOKEN}\n", 1000.0) or ""

    assert sessions.is_good(cookie, 1000.0 + LASTS - 1)
    assert not sessions.is_good(cookie, 1000.0 + LASTS)


def test_the_cookie_does_not_hold_the_token() -> None:
    assert TOKEN not in (Sessions(TOKEN).begin(TOKEN, 1000.0) or "")


@pytest.mark.parametrize("given_token", ["", "sixteen-letters?", "sixteen-letters!!"])
def test_a_wrong_token_begins_nothing(given_token: str) -> None:
    assert Sessions(TOKEN).begin(given_token, 1000.0) is None


def test_where_no_token_is_set_there_are_no_sessions() -> None:
    assert Sessions(None).begin("", 0.0) is None
    assert not Sessions(None).is_good(Sessions(TOKEN).begin(TOKEN, 0.0) or "", 1.0)


def test_a_new_token_ends_every_session() -> None:
    cookie = Sessions(TOKEN).begin(TOKEN, 0.0) or ""

    assert not Sessions("another-16-letters").is_good(cookie, 1.0)


def test_the_end_cannot_be_moved() -> None:
    end, _, signature = (Sessions(TOKEN).begin(TOKEN, 0.0) or "").partition(".")

    assert not Sessions(TOKEN).is_good(f"{int(end) + 1}.{signature}", 1.0)


@given(st.text(), st.floats(allow_nan=False))
def test_nothing_else_is_good_and_nothing_raises(cookie: str, wall: float) -> None:
    assert not Sessions(TOKEN).is_good(cookie, wall)
