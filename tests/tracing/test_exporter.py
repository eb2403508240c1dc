"""Repeats to a collector wait longer and longer, as it asks, and are spread: replicas that it has
left all at once do not come back all at once. A fault of ours does not end the thread.
"""

import threading

import pytest

from proxy.tracing.exporter import SpanExporter, pause_after
from proxy.tracing.sender import Sent
from proxy.tracing.spans import SpanWriter
from tests.tracing.test_span_queue import ended


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 2.0), (0.5, 2.25), (1.0, 2.5)])
def test_a_pause_is_never_shorter_and_up_to_a_quarter_longer(chance: float, pause: float) -> None:
    assert pause == pause_after(2, None, lambda: chance)


def test_pauses_grow_to_the_longest() -> None:
    assert [0.5, 1, 2, 5, 10, 10] == [pause_after(n, None, lambda: 0.0) for n in range(6)]


@pytest.mark.parametrize(("asked", "pause"), [(7.0, 7.0), (0.1, 0.5)])
def test_a_collector_may_ask_for_a_longer_pause(asked: float, pause: float) -> None:
    assert pause == pause_after(0, asked, lambda: 0.0)


class FaultySender:
    """Has a fault the first time."""

    url = "http://collector:4318/v1/traces"

    def __init__(self) -> None:
        self.is_sent = threading.Event()
        self.times = 0

    def send(self, body: object, timeout: float) -> Sent:
        self.times += 1
        if self.times == 1:
            raise ZeroDivisionError("a user's secret")
        self.is_sent.set()
        return Sent()

    def close(self) -> None:
        pass


def test_a_fault_of_ours_loses_a_batch_and_not_the_thread() -> None:
    said: list[tuple[str, dict[str, object]]] = []
    is_told = threading.Event()

    def tell(event: str, level: str, fields: dict[str, object]) -> None:
        said.append((event, dict(fields)))
        is_told.set()

    sender = FaultySender()
    exporter = SpanExporter(SpanWriter({}), sender, {}, tell, interval=0.01)
    exporter.start()
    exporter.closed([ended()])
    assert is_told.wait(5)
    exporter.closed([ended()])
    assert sender.is_sent.wait(5)
    exporter.close()

    assert ["spans_failed", "spans_healed"] == [event for event, _ in said]
    reason = str(said[0][1]["reason"])
    assert reason.startswith("a fault of ours: ZeroDivisionError at test_exporter.py:")
    assert "secret" not in reason
    assert (2, {"rejected": 2}) == (exporter.exported, dict(+exporter.dropped))
