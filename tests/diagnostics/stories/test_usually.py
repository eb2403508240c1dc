"""What was measured stands beside what is usual, and what is far above it is a sentence."""

import pytest

from proxy.diagnostics.stories.usually import unusual, usual_lines


def ms(measured, p50, p95):
    return {"measured_ms": measured, "p50_ms": p50, "p95_ms": p95}


def test_each_measure_is_a_line() -> None:
    usual = {
        "gap": ms(1400.0, 300.0, 600.0),
        "size": {"measured_bytes": 1, "p50_bytes": 20, "p95_bytes": 40},
    }

    assert list(usual_lines(usual)) == [
        ("1.4 s without an event; usual 300 ms, 95 of 100 within 600 ms", True),
        ("1 byte in the answer; usual 20 bytes, 95 of 100 within 40 bytes", False),
    ]


@pytest.mark.parametrize(
    ("usual", "said"),
    [
        pytest.param(
            {"head": ms(1400.0, 300.0, 600.0), "duration": ms(1500.0, 310.0, 700.0)},
            "1.4 s to the head; usual 300 ms, 95 of 100 within 600 ms.",
            id="the farthest of them",
        ),
        pytest.param(
            {"head": ms(1400.0, 300.0, 600.0), "duration": ms(9000.0, 310.0, 700.0)},
            "9.0 s in all; usual 310 ms, 95 of 100 within 700 ms.",
            id="wherever it stands",
        ),
        pytest.param(
            {"head": ms(1400.0, 300.0, 600.0) | {"missing": True}},
            "No head for 1.4 s; usual 300 ms, 95 of 100 within 600 ms.",
            id="a head that did not come",
        ),
        pytest.param({"head": ms(500.0, 300.0, 400.0)}, "", id="not far above"),
        pytest.param({"head": ms(4.0, 0.3, 0.4)}, "", id="too short to matter"),
        pytest.param({"head": {"measured_ms": "x"}}, "", id="not of our making"),
        pytest.param({}, "", id="nothing known"),
    ],
)
def test_what_is_far_above_is_said(usual, said) -> None:
    assert unusual({"usual": usual}) == said
    assert unusual({}) == ""
