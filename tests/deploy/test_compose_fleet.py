"""The compose file of several Sidelights is valid, and its parts find each other."""

import re
import subprocess
import sys
from typing import Any

import psycopg
import pytest
import yaml

from proxy.diagnostics.stories.store_url import address_of
from proxy.settings.load import load
from tests.deploy.test_compose import HOME, ROOT
from tests.postgres import Postgres

FILE = HOME / "fleet.yaml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
REPLICAS = [name for name in SERVICES if name.startswith("sidelight-")]
COLLECTOR = yaml.safe_load((HOME / "collector.yml").read_text())


def settings(name: str):
    environ = {key: str(value) for key, value in SERVICES[name]["environment"].items()}
    environ["SIDELIGHT_ADMIN__TOKEN"] = "x" * 48
    environ["SIDELIGHT_CORS__ORIGINS"] = "https://chat.example"  # from .env
    as_the_image_has_it = {
        "SIDELIGHT_ADMIN__HOST": "0.0.0.0",
        "SIDELIGHT_STORE__PATH": "/var/lib/sidelight/sidelight.db",
    }
    return load(ROOT / "config" / "minimal.yaml", as_the_image_has_it | environ)


def test_it_follows_the_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    done = subprocess.run(
        [*command, "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_replica_has_a_name_of_its_own_and_the_same_store() -> None:
    loaded = [settings(name) for name in REPLICAS]
    (url,) = {each.store.url.get_secret_value() for each in loaded}

    assert 2 == len(REPLICAS)
    assert REPLICAS == [each.instance for each in loaded]
    assert [None, None] == [each.store.path for each in loaded]
    assert [] == [warning for each in loaded for warning in each.warnings]
    assert "postgresql://postgres:5432/sidelight" == address_of(url)
    assert "postgres" in SERVICES
    assert "PGPASSWORD" in SERVICES[REPLICAS[0]]["environment"]


def test_spans_go_to_the_collector_and_from_there_to_where_the_link_leads() -> None:
    tracing = settings(REPLICAS[0]).tracing
    received = COLLECTOR["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    (exporter,) = COLLECTOR["exporters"].values()

    assert f"http://collector:{received.rpartition(':')[2]}" == tracing.endpoint
    assert exporter["endpoint"].partition(":")[0] in SERVICES
    assert ["127.0.0.1:16686:16686"] == SERVICES["jaeger"]["ports"]
    assert tracing.link.startswith("http://localhost:16686/")


def test_the_pipeline_of_the_collector_names_what_there_is() -> None:
    (pipeline,) = COLLECTOR["service"]["pipelines"].values()

    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) == COLLECTOR[part].keys()


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_is_there_and_read_only(service: str) -> None:
    for mount in SERVICES[service].get("volumes", ()):
        source, _, *mode = mount.split(":")
        assert not source.startswith(".") or ((HOME / source).exists() and ["ro"] == mode)


def test_nothing_is_open_to_the_network_and_images_are_pinned() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    images = [service["image"] for service in SERVICES.values() if "build" not in service]

    assert [] == [port for port in ports if not port.startswith("127.0.0.1:")]
    assert [] == [image for image in images if ":" not in image or image.endswith(":latest")]


def test_every_secret_is_ones_own() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", FILE.read_text()))
    example = (HOME / ".env.example").read_text()

    assert {"SIDELIGHT_ADMIN__TOKEN", "POSTGRES_PASSWORD", "SIDELIGHT_DB_PASSWORD"} == wanted
    assert [] == [name for name in wanted if f"\n{name}=\n" not in example]


def test_the_script_of_the_database_makes_the_documented_role(cluster: Postgres) -> None:
    """By the real psql, as the image of PostgreSQL runs it once."""
    cluster.run("DROP DATABASE IF EXISTS sidelight", "DROP ROLE IF EXISTS sidelight")
    environ = {
        "PATH": "/usr/bin:/bin", "PGHOST": "127.0.0.1", "PGPORT": str(cluster.port),
        "PGPASSWORD": "admin", "PGDATABASE": "postgres", "POSTGRES_USER": "admin",
        "SIDELIGHT_DB_PASSWORD": "it's $one's own",
    }  # fmt: skip
    done = subprocess.run(
        ["sh", HOME / "postgres-init.sh"], env=environ, capture_output=True, text=True, timeout=60
    )
    documented = (ROOT / "docs" / "store.md").read_text().partition("```sql")[2].partition("```")[0]
    script = (HOME / "postgres-init.sh").read_text()
    grants = [line for line in documented.splitlines() if line.startswith(("REVOKE", "GRANT"))]
    url = cluster.url("sidelight", "sidelight")
    cluster.passfile("sidelight", "it's $one's own")

    assert 0 == done.returncode, done.stderr
    assert [] == [line for line in grants if line not in script]
    assert [(True,)] == cluster.run(
        "SELECT has_schema_privilege('sidelight', 'public', 'CREATE')", database="sidelight"
    )
    assert "it's" not in done.stdout + done.stderr
    psycopg.connect(url).close()
