"""A body that may not become larger: all that fits, and then a failure."""

from collections.abc import Callable
from math import inf

import pytest

from proxy.outcome import RESPONSE_TOO_LARGE
from proxy.upstream.bounded_body import BoundedBody
from proxy.upstream.result import END_OF_BODY, EndOfBody, Failed

STALLED = Failed(RESPONSE_TOO_LARGE, "not of the limit", "http://a:1")


class Pieces:
    """A body that comes in these pieces: to the tap where there is one, else to the reader."""

    def __init__(self, *pieces: bytes) -> None:
        self.tap: Callable[[bytes], bool] | None = None
        self.endpoint = "http://a:1"
        self.pieces = list(pieces)

    async def read(self, silence: float, limit: float = inf) -> bytes | EndOfBody | Failed:
        while self.pieces:
            piece = self.pieces.pop(0)
            if self.tap is None:
                return piece
            if not self.tap(piece):
                return STALLED
        return END_OF_BODY


async def read_all(body: BoundedBody) -> tuple[list[bytes], EndOfBody | Failed]:
    pieces = []
    while isinstance(piece := await body.read(1.0), bytes):
        pieces.append(piece)
    return pieces, piece


@pytest.mark.parametrize(
    ("pieces", "size", "given", "is_over"),
    [
        pytest.param((b"abc", b"de"), 5, [b"abc", b"de"], False, id="exactly"),
        pytest.param((b"abc", b"def"), 5, [b"abc", b"de"], True, id="what fits of the last piece"),
        pytest.param((b"abc", b"de", b"f"), 5, [b"abc", b"de"], True, id="one more piece"),
        pytest.param((b"abc",), 0, [], True, id="nothing may come"),
        pytest.param((), 0, [], False, id="nothing comes"),
        pytest.param((b"abc",), -7, [], True, id="too much was here before"),
    ],
)
@pytest.mark.parametrize("tapped", [False, True], ids=["read", "tapped"])
async def test_what_fits_is_given_and_then_it_has_failed(
    pieces: tuple[bytes, ...], size: int, given: list[bytes], is_over: bool, tapped: bool
) -> None:
    body = BoundedBody(Pieces(*pieces), size, "over 5 bytes")
    seen: list[bytes] = []
    if tapped:
        body.tap = lambda piece: seen.__iadd__([piece]) is seen
    read, end = await read_all(body)

    assert given == seen + read
    failed = Failed(RESPONSE_TOO_LARGE, "over 5 bytes", "http://a:1")
    assert (failed if is_over else END_OF_BODY) == end


async def test_it_stays_failed() -> None:
    body = BoundedBody(Pieces(b"abc", b"d"), 2, "over")
    await read_all(body)

    assert isinstance(await body.read(1.0), Failed)


async def test_who_taps_may_wish_to_be_woken_before_the_limit() -> None:
    source = Pieces(b"abc", b"d")
    body = BoundedBody(source, 100, "over")
    body.tap = lambda _: False

    assert STALLED == await body.read(1.0)
    assert [b"d"] == source.pieces


async def test_a_tap_that_is_taken_away_is_taken_from_the_body_too() -> None:
    source = Pieces(b"abc")
    body = BoundedBody(source, 100, "over")
    body.tap = lambda _: True
    body.tap = None

    assert source.tap is None
    assert body.tap is None
    assert b"abc" == await body.read(1.0)
