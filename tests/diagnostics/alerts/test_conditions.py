"""Each rule is true above its threshold, not at it, and can be switched off."""

from typing import get_args

import pytest

from proxy.diagnostics.alerts.conditions import SystemState, findings, lost
from proxy.diagnostics.alerts.counts import CountWindow
from proxy.diagnostics.alerts.rules import AlertsRule, RuleName
from proxy.diagnostics.alerts.signs import SEVERITY
from proxy.tls.facts import CertificateFacts


def found(rule, exchanges=(), system_state=SystemState()):  # noqa: B008 - frozen
    window = CountWindow.of(rule)
    for x in exchanges:
        window.add(x)
    return {finding.rule: finding for finding in findings(rule, window, system_state, 20.0)}


def test_every_rule_has_a_severity_and_knobs() -> None:
    assert set(get_args(RuleName)) == set(SEVERITY)
    assert set(SEVERITY) <= set(AlertsRule.model_fields)


@pytest.mark.parametrize(
    ("rule", "code", "unusual", "most"),
    [
        ("critical_errors", "internal_error", {}, 0),
        ("errors", "upstream_reset", {}, 10),
        ("warnings", "circuit_open", {}, 50),
        ("unauthorised", "upstream_error", {"status": 401, "upstream_status": 401}, 5),
    ],
)
def test_counts_are_too_many_above_the_threshold(exchange_of, rule, code, unusual, most) -> None:
    bad = exchange_of(code, **unusual)

    assert rule not in found(AlertsRule(), [bad] * most)
    assert found(AlertsRule(), [bad] * (most + 1))[rule].value == most + 1
    assert rule not in found(AlertsRule(**{rule: {"above": None}}), [bad] * (most + 1))


@pytest.mark.parametrize(
    ("rule", "bad", "at_threshold", "whole"),
    [
        ("error_rate", ("upstream_reset", {}), 1, 100),
        ("stalls", ("stream_stalled", {"streamed": True}), 5, 100),
        ("slow_answers", ("completed", {"ended": 19.0}), 5, 100),
        (
            "slow_first_events",
            ("completed", {"streamed": True, "first_event": 6.0, "ended": 17.0}),
            5,
            100,
        ),
    ],
)
def test_shares_are_too_large_above_the_threshold(
    exchange_of, rule, bad, at_threshold, whole
) -> None:
    code, unusual = bad
    good = exchange_of(streamed=unusual.get("streamed", False))
    broken = exchange_of(code, **unusual)

    def mixed(n):
        return [broken] * n + [good] * (whole - n)

    assert rule not in found(AlertsRule(), mixed(at_threshold))
    assert rule in found(AlertsRule(), mixed(at_threshold + 1))
    assert rule not in found(AlertsRule(**{rule: {"above": None}}), mixed(whole))


def test_a_share_of_too_few_says_nothing(exchange_of) -> None:
    bad = exchange_of("upstream_reset")

    assert "error_rate" not in found(AlertsRule(), [bad] * 49)
    assert "error_rate" in found(AlertsRule(), [bad] * 50)


def test_a_finding_says_what_was_found_and_names_three_ids(exchange_of) -> None:
    bad = [exchange_of("upstream_reset", request_id=f"id-{n}") for n in range(60)]
    finding = found(AlertsRule(), bad)["error_rate"]

    assert finding.summary == "100.0% of all exchanges broke within 5m"
    assert (finding.value, finding.threshold, finding.window) == (1.0, 0.01, 300.0)
    assert finding.samples == ("id-59", "id-58", "id-57")
    assert found(AlertsRule(), bad[:11])["errors"].summary == "11 errors within 1h"


def test_signs_of_other_parts_are_findings_with_their_subject(exchange_of) -> None:
    system_state = SystemState(
        circuits_open=("chat", "rest"),
        pools_exhausted=("db",),
        overloaded=("memory",),
        endpoints_down=(("db", "http://a:1", "3 checks in a row: status 500"),),
        config_rejected=True,
    )
    rule = AlertsRule()
    window = CountWindow.of(rule)
    window.add(exchange_of("circuit_open"))
    said = findings(rule, window, system_state, 20.0)

    assert [(f.rule, f.subject, f.samples) for f in said] == [
        ("breaker_open", "chat", ("id-1",)),
        ("breaker_open", "rest", ()),
        ("pool_exhausted", "db", ()),
        ("overloaded", "memory", ()),
        ("endpoint_down", "db http://a:1", ()),
        ("config_rejected", "", ()),
    ]


def test_rules_about_signs_can_be_switched_off() -> None:
    off = AlertsRule(
        breaker_open=False,
        pool_exhausted=False,
        overloaded=False,
        endpoint_down=False,
        config_rejected=False,
        store_dropping=False,
        log_dropping=False,
    )
    down = (("db", "http://a", "status 500"),)
    system_state = SystemState(("chat",), ("db",), ("loop_lag",), down, 5, 5, True)

    assert found(off, system_state=system_state) == {}
    assert lost(off, SystemState(), system_state) == []


def test_only_what_was_lost_since_the_last_look_is_news() -> None:
    before, after = (
        SystemState(log_dropped=3, store_dropped=1),
        SystemState(log_dropped=4, store_dropped=3),
    )

    assert [(f.rule, f.summary) for f in lost(AlertsRule(), before, after)] == [
        ("store_dropping", "2 stories lost"),
        ("log_dropping", "1 log line lost"),
    ]
    assert lost(AlertsRule(), after, after) == []


@pytest.mark.parametrize(
    ("days", "raised"),
    [
        pytest.param(15, [], id="15 days"),
        pytest.param(13, ["certificate_expires"], id="13 days"),
        pytest.param(2, ["certificate_expires", "certificate_expires_soon"], id="2 days"),
        pytest.param(-1, ["certificate_expires", "certificate_expires_soon"], id="expired"),
    ],
)
def test_a_certificate_that_expires_is_told_14_and_3_days_before(days, raised):
    facts = CertificateFacts("listen", 1e9 + days * 86400)
    state = SystemState(wall=1e9, certificates=(facts,))

    assert raised == list(found(AlertsRule(), system_state=state))


def test_files_of_tls_that_cannot_be_used_are_told():
    state = SystemState(certificates=(CertificateFacts("listen", None, "broken"),))

    assert ["certificate_rejected"] == list(found(AlertsRule(), system_state=state))
