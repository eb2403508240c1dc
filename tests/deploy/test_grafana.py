"""The dashboard asks for metrics and labels that there are, and its panels have a place each."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.promql import OF_SCRAPE, faults, labels_of
from tests.deploy.test_prometheus import RECORDED, promtool

HOME = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARD = json.loads((HOME / "dashboards" / "sidelight.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel, target) for panel in PANELS for target in panel["targets"]]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}


def title(panel_and_target: tuple[dict[str, Any], dict[str, Any]]) -> str:
    panel, target = panel_and_target
    return f"{panel['title']} {target['refId']}"


@pytest.mark.parametrize(("panel", "target"), TARGETS, ids=map(title, TARGETS))
def test_a_panel_asks_for_what_there_is(panel: dict[str, Any], target: dict[str, Any]) -> None:
    assert [] == list(faults(target["expr"], RECORDED))


@pytest.mark.parametrize(("panel", "target"), TARGETS, ids=map(title, TARGETS))
def test_a_legend_names_labels_that_are_left(panel: dict[str, Any], target: dict[str, Any]) -> None:
    """Those that are grouped by, or all where nothing is grouped."""
    grouped = re.findall(r"\bby \(([^)]*)\)", target["expr"])
    left = set(re.findall(r"\w+", " ".join(grouped))) - {"le"}
    if not grouped:
        names = re.findall(r"[\w:]*(?:sidelight|process)_[\w:]+", target["expr"])
        left = set(OF_SCRAPE).union(*(labels_of(name, RECORDED) or () for name in names))

    assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= left


def test_every_question_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    """Variables stand for what Grafana puts in their place."""
    known = {"$__rate_interval": "1m", "$route": ".*", "$upstream": ".*"}
    rules = []
    for panel, target in TARGETS:
        expression = target["expr"]
        for variable, value in known.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"panel:{panel['id']}:{target['refId']}", "expr": expression})
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    assert "SUCCESS" in promtool("check", "rules", str(file))


def test_the_variables_are_route_and_upstream() -> None:
    asked = {name: variable["query"] for name, variable in VARIABLES.items()}
    del asked["datasource"]

    assert {"route", "upstream"} == set(asked)
    for name, question in asked.items():
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", question["query"]).groups()
        assert name == label
        assert label in labels_of(metric)


def test_no_variable_is_used_that_is_not_defined() -> None:
    used = set(re.findall(r"\$\{?([a-z_]+)", json.dumps(DASHBOARD)))

    assert used == {*VARIABLES, "__rate_interval", "__all"}


def test_every_panel_says_what_it_shows_and_has_a_place_of_its_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }

        assert taken.isdisjoint(cells), panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len(DASHBOARD["panels"]) == len({panel["id"] for panel in DASHBOARD["panels"]})
    assert [] == [panel["title"] for panel in PANELS if not panel["description"].endswith(".")]


def test_grafana_finds_the_data_source_and_the_dashboard() -> None:
    (source,) = yaml.safe_load((HOME / "provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((HOME / "provisioning/dashboards/sidelight.yml").read_text())[
        "providers"
    ]

    assert ("prometheus", True) == (source["type"], source["isDefault"])
    assert ("file", "/var/lib/grafana/dashboards") == (
        provider["type"],
        provider["options"]["path"],
    )
