"""The rules of Prometheus name what exists, are tested one by one, and lead to a runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.observation.exposition import render
from proxy.observation.metrics import Metrics
from proxy.outcome import OUTCOMES, STREAM_STALLED
from tests.deploy.promql import faults
from tests.deploy.tools import tool

ROOT = Path(__file__).parents[2]
HOME = ROOT / "deploy" / "prometheus"


def rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((HOME / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


RECORDED = {rule["record"] for rule in rules("recording.yml")}
ALERTS = rules("alerts.yml")


def promtool(*arguments: str, text: str | None = None) -> str:
    """What it said; raises CalledProcessError where it found anything wrong."""
    command = [tool("promtool", "prometheus"), *arguments]
    done = subprocess.run(command, cwd=HOME, text=True, input=text, capture_output=True, timeout=60)

    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_configuration_and_its_rules_are_valid() -> None:
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")


def test_the_rules_do_what_their_tests_say() -> None:
    assert "SUCCESS" in promtool("test", "rules", "tests.yml")


@pytest.mark.parametrize(
    "rule", [*rules("recording.yml"), *ALERTS], ids=lambda rule: next(iter(rule.values()))
)
def test_a_rule_names_only_what_there_is(rule: dict[str, Any]) -> None:
    assert [] == list(faults(rule["expr"], RECORDED))


def test_every_alert_is_tested_both_ways() -> None:
    """That it is raised with its words, and that it is quiet where all is well."""
    plan = yaml.safe_load((HOME / "tests.yml").read_text())["tests"]
    cases = [case for test in plan for case in test.get("alert_rule_test", ())]
    raised = {case["alertname"] for case in cases if case.get("exp_alerts")}
    quiet = {
        case["alertname"] for case in plan[-1]["alert_rule_test"] if not case.get("exp_alerts")
    }
    names = {rule["alert"] for rule in ALERTS}

    assert names == raised
    assert names == quiet


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^### (.+)$", (ROOT / page).read_text(), re.MULTILINE)

    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    assert anchor in headings


def codes(expression: str, metric: str) -> set[str]:
    (found,) = set(re.findall(rf'{metric}{{code=~"([^"]*)"}}', expression))
    return set(found.split("|"))


def test_failures_are_all_ends_that_no_status_tells() -> None:
    """An error without a status of its own came after the head: it went out as 200."""
    (rule,) = [
        r for r in rules("recording.yml") if r["record"] == "route:sidelight_failures:rate5m"
    ]
    unseen = {o.code for o in OUTCOMES.values() if o.is_error and o.status is None}

    assert unseen - {"upstream_error"} == codes(rule["expr"], "sidelight_terminations_total")


def test_streams_that_fail_are_all_errors_a_committed_stream_can_end_in() -> None:
    (rule,) = [r for r in rules("recording.yml") if "stream_failure" in r["record"]]
    unseen = {o.code for o in OUTCOMES.values() if o.is_error and o.status is None}
    in_band = {"first_event_timeout", "total_timeout", "internal_error"}

    assert unseen - {"upstream_error"} | in_band == codes(rule["expr"], "sidelight_streams_total")


@pytest.fixture
def scrape(exchange_of) -> str:
    """What a Sidelight says that has seen a good answer and a broken stream."""
    metrics = Metrics({"chat": "backend"}, "1.2.3")
    metrics.count(exchange_of())
    metrics.count(exchange_of(STREAM_STALLED.code, streamed=True, reads=2, first_event=0.4))
    metrics.lag(0.001)
    return render(metrics.snapshot(), "")[0].decode()


def test_a_scrape_pleases_the_linter_of_prometheus(scrape: str) -> None:
    assert "" == promtool("check", "metrics", text=scrape)
