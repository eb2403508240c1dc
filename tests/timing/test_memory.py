"""What memory is in use, and what there is."""

import asyncio

import pytest

from proxy.timing.memory import MemoryWatch, give_back_memory, memory_in_use, memory_limit


def test_it_is_read_of_the_kernel():
    used = memory_in_use()

    assert used is not None
    assert 2**20 < used < memory_limit()


@pytest.mark.parametrize("text", ["", "12", "a b"])
def test_what_cannot_be_read_is_unknown(tmp_path, text):
    (tmp_path / "statm").write_text(text)

    assert memory_in_use(tmp_path / "statm") is None
    assert memory_in_use(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("texts", "limit"),
    [
        pytest.param(["1048576\n", "5"], 1048576, id="of the control group"),
        pytest.param(["max\n"], None, id="none: the machine's"),
        pytest.param([], None, id="no control group"),
        pytest.param(["9223372036854771712\n"], None, id="never more than the machine has"),
    ],
)
def test_the_limit(tmp_path, texts, limit):
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / str(number))
        paths[-1].write_text(text)

    assert (limit or memory_limit(())) == memory_limit(tuple(paths))


async def test_it_tells_what_it_read():
    told = []
    short = MemoryWatch(told.append, lambda: True, lambda: 5)
    await short.look()
    await MemoryWatch(told.append, lambda: False, lambda: None).look()

    assert [5] == told


async def test_it_goes_on_until_it_is_stopped():
    seen = asyncio.Event()
    watch = MemoryWatch(lambda _: seen.set(), lambda: False, lambda: 5)
    watch.start()
    await seen.wait()
    await watch.stop()
    await watch.stop()


def test_giving_back_is_always_possible():
    give_back_memory()
