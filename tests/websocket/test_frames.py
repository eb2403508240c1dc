"""Where WebSocket frames end, however the network cuts them, and what a Close frame says."""

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.websocket.frames import NO_CODE, Frames, close_frame

KEY = b"\x1f\x2e\x3d\x4c"


def frame(opcode: int, size: int, key: bytes = b"", payload: bytes = b"") -> bytes:
    """A frame of `size` bytes or of `payload`; with a key it is masked."""
    size = size or len(payload)
    length = 127 if size > 0xFFFF else 126 if size > 125 else size
    more = size.to_bytes(8) if length == 127 else size.to_bytes(2) if length == 126 else b""
    body = payload or bytes(size)
    if key:
        body = bytes(byte ^ key[at % 4] for at, byte in enumerate(body))
    return bytes([0x80 | opcode, length | (0x80 if key else 0)]) + more + key + body


SIZES = st.sampled_from([0, 1, 2, 125, 126, 127, 300, 65535, 65536])
FRAMES = st.lists(
    st.builds(frame, st.sampled_from([0, 1, 2, 9, 10]), SIZES, st.sampled_from([b"", KEY])),
    min_size=1,
    max_size=4,
)


SMALL = st.lists(
    st.builds(
        frame,
        st.sampled_from([0, 1, 2, 9, 10]),
        st.integers(0, 127),
        st.sampled_from([b"", KEY]),
    ),
    max_size=40,
)


@given(FRAMES | SMALL, st.lists(st.integers(0, 400), max_size=8))
def test_a_border_is_where_a_frame_ends_and_nowhere_else(frames, steps):
    data = b"".join(frames)
    borders = {sum(map(len, frames[:count])) for count in range(len(frames) + 1)}
    tracked, at = Frames(), 0
    for step in [*steps, len(data)]:
        tracked.feed(data[at : at + step])
        at = min(at + step, len(data))

        assert (at in borders) == tracked.at_border
    assert tracked.close_code is None


@given(FRAMES, st.integers(0, 70_000))
def test_a_frame_under_way_is_finished_and_no_further(frames, cut):
    data = b"".join(frames)
    borders = [sum(map(len, frames[:count])) for count in range(len(frames) + 1)]
    tracked, at = Frames(), min(cut, len(data))
    tracked.feed(data[:at])

    assert min(border for border in borders if border >= at) == at + tracked.finish(data[at:])
    assert tracked.at_border


def steps(work: Callable[[], object]) -> int:
    """How many calls of Python and C functions it takes."""
    count = 0

    def step(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


FLOODS = [
    pytest.param([frame(2, 0, KEY)], id="empty"),
    pytest.param([frame(10, 0)], id="unmasked"),
    pytest.param([frame(2, 0, KEY), frame(1, 7, KEY), frame(9, 125), frame(0, 3)], id="mixed"),
    pytest.param([frame(8, 0, KEY)], id="Close frames"),
]


@pytest.mark.parametrize("frames", FLOODS)
def test_small_frames_cost_no_step_each(frames):
    one, flood = Frames(), Frames()
    few, many = b"".join(frames), b"".join(frames * 10_000)

    assert steps(lambda: flood.feed(many)) < 2 * steps(lambda: one.feed(few))
    assert flood.at_border


WRONG = [
    pytest.param(b"\x7e" + bytes(2), id="0 in two bytes"),
    pytest.param(b"\x7e\x00\x7d", id="125 in two bytes"),
    pytest.param(b"\x7f" + bytes(8), id="0 in eight bytes"),
    pytest.param(b"\x7f" + (65535).to_bytes(8), id="65535 in eight bytes"),
    pytest.param(b"\x7f" + b"\xff" * 8, id="the highest bit"),
]


@pytest.mark.parametrize("length", WRONG)
def test_behind_a_length_of_the_wrong_form_there_is_no_border(length):
    """RFC 6455 §5.2; and such frames cost no step each either."""
    data = (b"\x82" + length) * 10_000 + frame(8, 0)
    tracked = Frames()

    assert 100 > steps(lambda: tracked.feed(data))
    assert (None, False) == (tracked.close_code, tracked.at_border)


def test_what_follows_a_close_frame_is_not_followed():
    tracked = Frames()
    tracked.feed(frame(8, 0) + frame(2, 300)[:100])

    assert (NO_CODE, True) == (tracked.close_code, tracked.at_border)


def test_a_head_may_come_byte_by_byte():
    tracked, data = Frames(), frame(2, 65536, KEY)
    for at in range(20):
        tracked.feed(data[at : at + 1])
        assert not tracked.at_border
    tracked.feed(data[20:])

    assert tracked.at_border


CLOSES = [
    pytest.param(b"", b"", NO_CODE, id="says nothing"),
    pytest.param(b"\x0f", b"", NO_CODE, id="half a code"),
    pytest.param(b"\x0f\xa1", b"", 4001, id="a code"),
    pytest.param(b"\x03\xe8because", b"", 1000, id="a code and a reason"),
    pytest.param(b"\x0f\xa1", KEY, 4001, id="a code of a client"),
    pytest.param(b"\x0f\xa1because", KEY, 4001, id="a code and a reason of a client"),
]


@pytest.mark.parametrize(("payload", "key", "code"), CLOSES)
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_what_a_close_frame_says(payload, key, code, step):
    data = frame(1, 5) + frame(8, 0, key, payload) + frame(8, 0, b"", b"\x03\xf3")
    tracked = Frames()
    for at in range(0, len(data), step):
        tracked.feed(data[at : at + step])

    assert (code, True) == (tracked.close_code, tracked.at_border)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_close_frame_of_ours_is_one(key):
    tracked, written = Frames(), close_frame(1001, "drain_cut r-1", key)
    tracked.feed(written)

    assert (1001, True) == (tracked.close_code, tracked.at_border)
    assert bool(key) == bool(written[1] & 0x80)
    assert frame(8, 0, key or b"", b"\x03\xe9drain_cut r-1") == written


def test_a_long_reason_is_cut_to_what_a_control_frame_holds():
    assert 2 + 125 == len(close_frame(1001, "x" * 200))
