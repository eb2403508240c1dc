"""What is kept of a body, so that it can be sent again."""

from proxy.client.kept_body import KeptBody


def test_pieces_are_kept_up_to_the_limit() -> None:
    kept = KeptBody(4)
    kept.add(b"ab")
    assert kept.has_room(2)
    kept.add(b"cd")

    assert (b"abcd", False) == (kept.joined(), kept.is_lost)


def test_beyond_the_limit_nothing_is_kept() -> None:
    """Half a body is of no use; what came later must not look like its beginning."""
    kept = KeptBody(4)
    kept.add(b"abc")
    assert not kept.has_room(2)
    kept.add(b"de")
    kept.add(b"f")

    assert (b"", True) == (kept.joined(), kept.is_lost)
    assert not kept.has_room(0)


def test_what_is_announced_too_large_is_kept_for_a_while_only() -> None:
    """For an attempt of which nothing was read: its beginning is enough then."""
    kept = KeptBody(4, 5)
    kept.add(b"abc")

    assert (b"abc", False) == (kept.joined(), kept.may_be_whole)
    assert KeptBody(4, 4).may_be_whole
