"""That all that were lost had idled for longer than any that was well decides on the cause."""

import pytest

from proxy.diagnostics.neighbours.idle import idled_of
from tests.diagnostics.neighbours.test_telling import told_of


def happened(happen, ill, well, code="stale_connection"):
    all_ = [happen(100.0 + n) for n in range(len(well))]
    all_ += [happen(150.0 + n, code=code, status=None) for n in range(len(ill))]
    for x, idle in zip(all_, (*well, *ill), strict=True):
        x.attempts[0].idle = idle
    return all_


WELL = (0.1, 0.2, 0.3)


@pytest.mark.parametrize("code", ["stale_connection", "upstream_reset"])
def test_those_that_were_lost_had_idled_for_longer(happen, window_of, code) -> None:
    told = told_of(window_of, happened(happen, (0.6, 0.7, 0.8), WELL, code))

    assert (
        "3 lost connections had idled for 0.60 to 0.80 s, 3 that were well for 0.10 to 0.30 s"
    ) in told["words"]
    assert "had idled for 0.60 s or longer ended so" in told["likely"]
    assert told["check"].startswith("Set `pool.keep_alive` to 0.30 s or less")


@pytest.mark.parametrize(
    ("ill", "well"),
    [
        pytest.param((0.2, 0.7, 0.8), WELL, id="they overlap"),
        pytest.param((0.7, 0.8), WELL, id="too few were lost"),
        pytest.param((0.7, 0.8, 0.9), WELL[:2], id="too few were well"),
    ],
)
def test_else_it_makes_nothing_likely(happen, window_of, ill, well) -> None:
    window, row = window_of(happened(happen, ill, well))
    idled = idled_of(window, row.kind)

    assert idled is not None
    assert not idled.separates


def test_of_other_ends_nothing_is_told(happen, window_of) -> None:
    window, row = window_of(happened(happen, (0.6, 0.7, 0.8), WELL, "head_timeout"))

    assert idled_of(window, row.kind) is None
