"""What of a response decides whether another may follow it on its connection."""

import pytest

from proxy import outcome as o
from proxy.http.framing import Framing, ResponseHead
from proxy.upstream.response import Response


@pytest.fixture
def response() -> Response:
    found = Response("http://a")
    found.framing = Framing("length", 2, keeps_alive=True)
    found.head = ResponseHead(200, b"OK", [], "1.1", "length", 2)
    return found


def test_another_may_follow_one_that_leaves_nothing_behind(response: Response) -> None:
    assert response.is_followable


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("head", None),
        ("head", ResponseHead(500, b"Oops", [], "1.1", "length", 2)),
        ("framing", Framing("length", 2, keeps_alive=False)),
        ("is_tainted", True),
    ],
)
def test_none_follows_where_it_could_be_lost(response: Response, field: str, value: object) -> None:
    setattr(response, field, value)

    assert not response.is_followable


def test_the_first_failure_stands(response: Response) -> None:
    response.fail(o.STREAM_RESET, "reset")
    response.fail(o.STREAM_TRUNCATED, "closed")

    assert response.failure is not None
    assert (o.STREAM_RESET, "reset") == (response.failure.outcome, response.failure.detail)


def test_what_tainted_the_connection_is_not_forgotten(response: Response) -> None:
    response.is_tainted = True
    response.clear()

    assert response.head is None
    assert response.is_tainted
