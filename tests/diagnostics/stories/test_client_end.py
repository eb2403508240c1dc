"""What the client got in the end."""

import pytest

from proxy.diagnostics.stories.client_end import client_got, client_told
from proxy.http.error_response import message_of
from tests.records import fallen_back


@pytest.mark.parametrize(
    ("code", "unusual", "got"),
    [
        ("completed", {}, "answer"),
        ("upstream_error", {}, "answer"),
        ("stream_error", {}, "answer"),
        ("stream_empty", {}, "answer"),
        ("completed", {"attempts": []}, "own_answer"),
        ("head_timeout", {"upstream_status": None}, "own_answer"),
        ("stream_stalled", {"inband_error": True}, "in_band_error"),
        ("stream_stalled", {}, "aborted"),
        ("internal_error", {}, "aborted"),
        ("internal_error", {"committed": None}, "nothing"),
        ("client_closed_stream", {}, "client_left"),
        ("client_closed_request", {"committed": None}, "client_left"),
        ("circuit_open", {"fallback": fallen_back("spare")}, "fallback"),
        ("upstream_error", {"fallback": fallen_back("")}, "answer"),
        ("response_too_large", {"masked": True}, "own_answer"),
        ("response_too_large", {"inband_error": True}, "in_band_error"),
        ("response_too_large", {}, "aborted"),
    ],
)
def test_what_the_client_got(exchange_of, code, unusual, got) -> None:
    assert client_got(exchange_of(code, **unusual)) == got


def test_the_message_is_the_one_that_was_sent(exchange_of) -> None:
    """Its seconds are rounded up, as in `Retry-After`."""
    x = exchange_of("rate_limited", attempts=[], upstream_status=None, retry_in=0.109, status=429)

    assert x.outcome is not None
    assert message_of(x.outcome, 0.109) == client_told(x, x.outcome)["message"]
    assert "1 s" in message_of(x.outcome, 0.109)
