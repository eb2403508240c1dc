"""Following what ends."""

import asyncio

from proxy.diagnostics.stories.query import Query
from proxy.diagnostics.stories.tail import KEPT, MOST_WAITING, Tail

ALL = Query(limit=10_000)


def ids(found) -> list[str]:
    return [story["request_id"] for story in found.stories]


async def test_what_ended_since_is_told_once_and_oldest_first(exchange_of) -> None:
    tail = Tail()
    start = tail.after(None, ALL)
    tail.add([exchange_of(request_id="1"), exchange_of(request_id="2")])
    first = tail.after(start.cursor, ALL)
    tail.add([exchange_of(request_id="3")])

    assert ids(start) == []
    assert ids(first) == ["1", "2"]
    assert ids(tail.after(first.cursor, ALL)) == ["3"]


async def test_filters_hold(exchange_of) -> None:
    tail = Tail("pod-1")
    tail.add([exchange_of(request_id="1"), exchange_of("upstream_reset", request_id="2")])

    assert ids(tail.after(0, Query(code="upstream_reset"))) == ["2"]
    assert [2, 0] == [
        len(tail.after(0, Query(instance=name)).stories) for name in ("pod-1", "pod-2")
    ]


async def test_who_comes_late_is_told_how_many_were_missed(exchange_of) -> None:
    tail = Tail()
    for n in range(KEPT + 5):
        tail.add([exchange_of(request_id=str(n))])
    found = tail.after(0, ALL)

    assert len(found.stories) == KEPT
    assert found.missed == 5
    assert found.cursor == KEPT + 5


async def test_what_is_more_than_asked_for_is_said_to_be_missed(exchange_of) -> None:
    tail = Tail()
    tail.add([exchange_of(request_id=str(n)) for n in range(5)])
    found = tail.after(1, Query(limit=3))

    assert ids(found) == ["2", "3", "4"]
    assert found.missed == 1


async def test_a_cursor_of_another_process_does_no_harm(exchange_of) -> None:
    tail = Tail()
    tail.add([exchange_of()])

    assert tail.after(10**9, ALL).cursor == 1


async def test_a_wait_ends_with_the_next_that_is_asked_for(exchange_of) -> None:
    tail = Tail()
    waiting = asyncio.create_task(tail.wait(None, Query(code="upstream_reset"), 60))
    await asyncio.sleep(0)
    tail.add([exchange_of()])
    await asyncio.sleep(0)
    tail.add([exchange_of("upstream_reset", request_id="2")])

    assert ids(await waiting) == ["2"]


async def test_a_wait_is_over_after_its_time_and_too_many_do_not_wait(exchange_of) -> None:
    tail = Tail()
    assert ids(await tail.wait(None, ALL, 0)) == []
    waiting = [asyncio.create_task(tail.wait(None, ALL, 60)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)

    assert ids(await tail.wait(None, ALL, 60)) == []
    tail.add([exchange_of()])
    found = await asyncio.gather(*waiting)
    assert all(ids(each) for each in found)
