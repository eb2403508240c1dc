"""Nobody waits for the log."""

import os
import threading

from proxy.observation.outlet import Outlet
from proxy.observation.writer import Writer


def _outlet(fd: int) -> Outlet:
    return Outlet(fd, lambda lost: b"lost %d\n" % sum(lost.values()))


def test_lines_are_written_in_order(reader) -> None:
    writer = Writer(_outlet(reader.fd))
    reader.start()
    lines = [b"%d" % n for n in range(5000)]
    for line in lines:
        writer.put(line + b"\n")

    assert writer.close(10)
    assert lines == reader.lines()


class Slate(Outlet):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__(-1, lambda _: b"")
        self.batches: list[bytes] = []
        self.written = threading.Semaphore(0)

    def write(self, batch: bytes) -> None:
        self.batches.append(batch)
        self.written.release()


def test_lines_are_gathered_for_few_writes() -> None:
    slate = Slate()
    writer = Writer(slate)
    for _ in range(200):
        writer.put(b"x\n")
    writer.close(10)

    assert b"x\n" * 200 == b"".join(slate.batches)
    assert len(slate.batches) <= 3


def test_a_batch_is_bounded() -> None:
    slate = Slate()
    writer = Writer(slate)
    for _ in range(4):
        writer.put(b"x" * 40_000)
    writer.close(10)

    assert [80_000, 80_000] == [len(batch) for batch in slate.batches]


def test_a_stalled_reader_costs_lines_and_no_time(reader) -> None:
    """Every line either arrives or is counted, and the loss is said at the end."""
    outlet = _outlet(reader.fd)
    writer = Writer(outlet, size=10)
    stuffed = reader.fill()
    for n in range(100):
        writer.put(b"%d\n" % n)
    dropped = outlet.dropped["queue_full"]
    reader.start()

    assert writer.close(10)
    *arrived, report = reader.lines()[stuffed:]
    assert dropped > 0
    assert 100 == len(arrived) + dropped
    assert b"lost %d" % dropped == report


def test_lines_put_together_count_one_by_one_and_enter_together(reader) -> None:
    """One that finds room takes the others in, so that no batch is too large for a small queue."""
    outlet = _outlet(reader.fd)
    reader.fill()
    writer = Writer(outlet, size=2)
    writer.put(b"1\n2\n3\n", 3)
    writer.put(b"4\n5\n", 2)

    assert 2 == outlet.dropped["queue_full"]
    reader.start()
    assert writer.close(10)
    assert [b"1", b"2", b"3", b"lost 2"] == reader.lines()[-4:]


def test_a_queue_that_was_emptied_has_room_again() -> None:
    slate = Slate()
    writer = Writer(slate, size=2)
    for n in range(20):
        writer.put(b"%d\n%d\n" % (n, n), 2)
        assert slate.written.acquire(timeout=10)
    writer.close(10)

    assert 0 == slate.dropped["queue_full"]


def test_closing_gives_up_at_its_deadline(reader) -> None:
    writer = Writer(_outlet(reader.fd))
    reader.fill()
    writer.put(b"x\n" * 99_999)

    assert not writer.close(0.05)
    reader.start()
    assert writer.close(10)
    reader.lines()


def test_what_comes_after_the_end_is_counted(reader) -> None:
    outlet = _outlet(reader.fd)
    writer = Writer(outlet)
    assert writer.close(10)
    writer.put(b"late\n")

    assert 1 == outlet.dropped["queue_full"]
    assert [] == reader.lines()


def test_a_descriptor_that_does_not_exist_harms_nobody(reader) -> None:
    outlet = _outlet(reader.fd)
    os.close(reader.fd)
    writer = Writer(outlet)
    writer.put(b"one\n")

    assert writer.close(10)
    assert 1 == outlet.dropped["write_failed"]
    reader.hang_up()
