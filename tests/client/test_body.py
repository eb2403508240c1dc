"""Bodies: cut by their framing, held until they are read."""

from proxy import outcome as o
from proxy.client.body import NO_BODY, Body


def test_a_counted_body_ends_at_its_length() -> None:
    body = Body(4)

    assert 2 == body.feed(b"ab")
    assert (False, 2, True) == (body.is_whole, body.buffered, body.has_news)
    assert 3 == body.feed(b"_cdEF", 1)
    assert (True, b"abcd") == (body.is_whole, body.take())
    assert (0, b"") == (body.buffered, body.take())


def test_a_chunked_body_ends_behind_its_trailers() -> None:
    body = Body(None)

    assert 13 == body.feed(b"_2\r\nhi\r\n0\r\n\r\nGET", 1)
    assert (True, b"hi") == (body.is_whole, body.take())


def test_a_broken_body_says_why_and_keeps_what_came_before() -> None:
    body = Body(None)
    body.feed(b"2\r\nhi\r\nzz\r\n")

    assert (o.BAD_REQUEST, False, b"hi") == (body.failure, body.is_whole, body.take())
    assert body.why.startswith("broken body: ")


def test_the_first_failure_stands() -> None:
    body = Body(4)
    body.fail(o.REQUEST_TIMEOUT, "silent")
    body.fail(o.CLIENT_CLOSED_REQUEST, "left")

    assert (o.REQUEST_TIMEOUT, "silent", True) == (body.failure, body.why, body.has_news)


def test_nothing_fails_that_has_come_whole() -> None:
    body = Body(2)
    body.feed(b"hi")
    body.fail(o.CLIENT_CLOSED_REQUEST, "left")

    assert body.failure is None


def test_what_is_dropped_is_not_held() -> None:
    body = Body(6)
    body.feed(b"ab")
    body.drop()
    body.feed(b"cdef")

    assert (True, 0, b"") == (body.is_whole, body.buffered, body.take())


def test_small_chunks_are_not_held_one_by_one() -> None:
    """An object for each would cost many times its bytes."""
    body = Body(None)
    body.feed(b"2\r\nhi\r\n" * 9_000)

    assert 1 == len(body._pieces)
    assert b"hi" * 9_000 == body.take()


def test_no_body_has_nothing_to_wait_for() -> None:
    assert (True, True, b"") == (NO_BODY.is_whole, NO_BODY.has_news, NO_BODY.take())
