"""What nobody can take apart goes on as it comes."""

from proxy.streams.raw import Raw


def test_bytes_go_on_as_they_come_and_count_as_data() -> None:
    framing = Raw()

    assert (framing.feed(b"da"), framing.has_event, framing.held) == (b"da", True, 0)
    assert (framing.events, framing.is_raw, framing.ends_unseen) == (0, True, True)


def test_nothing_of_ours_may_follow() -> None:
    framing = Raw()
    framing.feed(b"a\n\n")

    assert not framing.takes_error
    assert (framing.heartbeat(), framing.release(), framing.finish()) == (b"", b"", b"")


def test_nothing_in_it_is_read() -> None:
    assert list(Raw().read(b"data: a\n\n")) == []
