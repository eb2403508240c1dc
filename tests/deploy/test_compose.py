"""The compose file is valid, its parts find each other, and nothing is open that need not be."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.knobs import seconds
from proxy.settings.load import load
from tests.deploy.tools import tool

ROOT = Path(__file__).parents[2]
HOME = ROOT / "deploy" / "compose"
FILE = HOME / "compose.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
SIDELIGHT = SERVICES["sidelight"]


def test_it_follows_the_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    done = subprocess.run(
        [*command, "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_alertmanager_takes_its_settings() -> None:
    done = subprocess.run(
        [tool("amtool", "prometheus-alertmanager"), "check-config", HOME / "alertmanager.yml"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


MOUNTS = [
    (name, mount)
    for name, service in SERVICES.items()
    for mount in service.get("volumes", ())
    if mount.startswith(".")
]


@pytest.mark.parametrize(("name", "mount"), MOUNTS)
def test_what_is_mounted_is_there_and_read_only(name: str, mount: str) -> None:
    source, _, mode = mount.split(":")

    assert (HOME / source).exists()
    assert "ro" == mode


def mounted(service: str, at: str) -> Path:
    """The file of this repository that the service sees there."""
    for mount in SERVICES[service]["volumes"]:
        source, target, *_ = mount.split(":")
        if at.startswith(target):
            return HOME / source / at.removeprefix(target).lstrip("/")
    raise AssertionError(f"{service} has no {at}")


def test_the_commands_name_files_that_are_mounted() -> None:
    for name in ("prometheus", "alertmanager"):
        (option,) = [o for o in SERVICES[name]["command"] if o.startswith("--config.file=")]

        assert mounted(name, option.partition("=")[2]).is_file()
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert mounted("grafana", home).is_file()
    assert mounted("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml").is_file()


def settings():
    environ = {name: str(value) for name, value in SIDELIGHT["environment"].items()}
    environ["SIDELIGHT_ADMIN__TOKEN"] = "x" * 48
    environ["SIDELIGHT_CORS__ORIGINS"] = "https://chat.example"  # from .env
    environ["SIDELIGHT_ADMIN__HOST"] = "0.0.0.0"  # as the image has it
    return load(mounted("sidelight", "/etc/sidelight/sidelight.yaml"), environ)


def test_sidelight_starts_with_its_settings_and_asks_the_demo_backend() -> None:
    (upstream,) = settings().upstreams.values()

    assert ("http://chat:8000",) == tuple(upstream.endpoints)
    assert [] == list(settings().warnings)
    assert "chat" in SERVICES


def test_there_is_no_token_but_ones_own() -> None:
    token = SIDELIGHT["environment"]["SIDELIGHT_ADMIN__TOKEN"]

    assert token.startswith("${SIDELIGHT_ADMIN__TOKEN:?")
    assert "\nSIDELIGHT_ADMIN__TOKEN=\n" in (HOME / ".env.example").read_text()


def test_a_drain_has_time_to_end() -> None:
    drain = settings().drain

    assert "130s" == SIDELIGHT["stop_grace_period"]
    assert seconds(SIDELIGHT["stop_grace_period"]) > drain.readiness_delay + drain.limit


def test_only_the_chat_is_open_to_the_network() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]

    assert ["8080:8080"] == [port for port in ports if not port.startswith("127.0.0.1:")]


def test_the_parts_find_each_other_by_the_names_of_their_services() -> None:
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    grafana = ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml"
    (source,) = yaml.safe_load(grafana.read_text())["datasources"]
    (scrape,) = prometheus["scrape_configs"]
    (alerting,) = prometheus["alerting"]["alertmanagers"]

    assert [f"sidelight:{settings().admin.port}"] == scrape["static_configs"][0]["targets"]
    assert ["alertmanager:9093"] == alerting["static_configs"][0]["targets"]
    assert "http://prometheus:9090" == source["url"]


def test_images_of_others_are_pinned() -> None:
    images = [service["image"] for service in SERVICES.values() if "build" not in service]

    assert [] == [image for image in images if ":" not in image or image.endswith(":latest")]
