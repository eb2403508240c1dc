"""A descriptor may be full, torn or gone: nothing is raised, and every loss is counted and said."""

import os

import pytest

from proxy.observation.outlet import Drops, Outlet


def _report(lost: Drops) -> bytes:
    return f"lost {lost['queue_full']} {lost['write_failed']}\n".encode()


class Now:
    """A clock that stands until it is moved."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def broken(tmp_path) -> int:
    """A descriptor that refuses every write, until `repair`."""
    return os.open(os.devnull, os.O_RDONLY)


def test_lines_arrive_as_they_were(reader) -> None:
    Outlet(reader.fd, _report).write(b"one\ntwo\n")

    assert [b"one", b"two"] == reader.lines()


def test_a_full_descriptor_is_waited_for_and_gets_every_byte(reader) -> None:
    """O_NONBLOCK on stdout, which a terminal or a parent may set, loses and cuts nothing."""
    outlet = Outlet(reader.fd, _report)
    stuffed = reader.fill()
    lines = [b"%d" % n for n in range(20_000)]
    reader.start()
    outlet.write(b"\n".join(lines) + b"\n")

    assert lines == reader.lines()[stuffed:]
    assert {"queue_full": 0, "write_failed": 0} == outlet.dropped


def test_a_reader_that_has_gone_costs_lines_and_nothing_else(reader) -> None:
    outlet = Outlet(reader.fd, _report)
    reader.hang_up()
    outlet.write(b"one\ntwo\n")
    outlet.write(b"three\n")

    assert {"queue_full": 0, "write_failed": 3} == outlet.dropped


def test_losses_are_said_once_when_writing_works_again(reader, broken: int) -> None:
    outlet = Outlet(broken, _report)
    outlet.dropped["queue_full"] += 5
    outlet.write(b"one\ntwo\n")
    os.dup2(reader.fd, broken)
    outlet.write(b"three\n")
    outlet.write(b"four\n")
    os.close(broken)

    assert [b"three", b"lost 5 2", b"four"] == reader.lines()


def test_losses_are_not_said_all_the_time(reader, now: Now) -> None:
    outlet = Outlet(reader.fd, _report, now)
    for moment, line in ((100.0, b"a\n"), (109.9, b"b\n"), (110.0, b"c\n")):
        now.at = moment
        outlet.dropped["queue_full"] += 1
        outlet.write(line)

    assert [b"a", b"lost 1 0", b"b", b"c", b"lost 2 0"] == reader.lines()


def test_nothing_lost_is_nothing_said(reader) -> None:
    Outlet(reader.fd, _report).tell()

    assert [] == reader.lines()


def test_a_report_that_fails_is_said_later(reader, broken: int) -> None:
    outlet = Outlet(broken, _report)
    outlet.dropped["queue_full"] = 1
    outlet.tell()
    os.dup2(reader.fd, broken)
    outlet.tell()
    os.close(broken)

    assert [b"lost 1 0"] == reader.lines()
    assert 0 == outlet.dropped["write_failed"]


def test_half_a_line_does_not_swallow_the_next(reader, broken: int, monkeypatch) -> None:
    outlet = Outlet(reader.fd, _report)
    write = os.write
    answers = [lambda fd, data: write(fd, data[:6]), lambda fd, data: write(broken, data)]
    monkeypatch.setattr(
        "proxy.observation.outlet.os.write",
        lambda fd, data: (answers.pop(0) if answers else write)(fd, data),
    )
    outlet.write(b"one\ntwo\nthree\n")
    outlet.write(b"four\n")

    assert [b"one", b"tw", b"four", b"lost 0 2"] == reader.lines()
