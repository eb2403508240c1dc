"""The check that holds rules and dashboards to the metrics there are finds what is wrong."""

import pytest

from tests.deploy.promql import faults

RECORDED = {"route:sidelight_failures:rate5m"}


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (route) (rate(sidelight_terminations_total{code=~"stream_stalled"}[5m]))',
        "histogram_quantile(0.9, sum by (le, route) (sidelight_overhead_seconds_bucket))",
        'route:sidelight_failures:rate5m{route=~"$route"} > 1',
        "process_resident_memory_bytes",
        'rate(python_gc_collections_total{generation="0"}[5m])',
        'up{job="sidelight"} == 0',
    ],
)
def test_what_is_right_has_no_fault(expression: str) -> None:
    assert [] == list(faults(expression, RECORDED))


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sidelight_nothing_total", "no metric is named sidelight_nothing_total"),
        ("sidelight_overhead_seconds", "no metric is named sidelight_overhead_seconds"),
        ("sidelight_requests_total_count", "no metric is named sidelight_requests_total_count"),
        ("route:sidelight_x:rate5m", "no metric is named route:sidelight_x:rate5m"),
        (
            'sidelight_requests_total{code="completed"}',
            "sidelight_requests_total has no label code",
        ),
        ('sidelight_terminations_total{code="oops"}', "code is never oops"),
        ('sidelight_circuit_state{state="shut"}', "state is never shut"),
        ("sum by (rout) (sidelight_requests_total)", "nothing there has the label rout: "),
    ],
)
def test_what_nobody_has_is_named(expression: str, fault: str) -> None:
    assert [fault + (expression if fault.endswith(": ") else "")] == list(
        faults(expression, RECORDED)
    )
