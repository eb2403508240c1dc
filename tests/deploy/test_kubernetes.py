"""The Kubernetes objects are valid, find each other, and leave a drain its time."""

import copy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from proxy.knobs import seconds
from proxy.settings.load import load

HOME = Path(__file__).parents[2] / "deploy" / "kubernetes"
BASE = HOME / "base"
OVERLAY = HOME / "overlays" / "production"
KUSTOMIZATION = yaml.safe_load((BASE / "kustomization.yaml").read_text())
OBJECTS: dict[str, dict[str, Any]] = {
    name: yaml.safe_load((BASE / name).read_text()) for name in KUSTOMIZATION["resources"]
}
POD = OBJECTS["deployment.yaml"]["spec"]["template"]
(SIDECAR,) = POD["spec"]["initContainers"]
(BACKEND,) = POD["spec"]["containers"]
OLDEST, NEWEST = "1.29", "1.37"
BACKEND_LIMIT = 120
"""Seconds that the comments give the backend for its running answers."""


def settings():
    return load(BASE / "sidelight.yaml", {"SIDELIGHT_ADMIN__HOST": "0.0.0.0"})


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", sorted(OBJECTS.keys() - {"podmonitor.yaml"}))
def test_an_object_is_valid_in_the_oldest_and_the_newest_version(name: str, version: str) -> None:
    """Strict: a key that nobody knows is a fault."""
    assert version == kubernetes_validate.validate(OBJECTS[name], version, strict=True)


def test_the_oldest_version_is_the_one_that_is_named() -> None:
    text = (BASE / "kustomization.yaml").read_text()

    assert (
        f"native sidecar (an init container with restartPolicy: Always)   Kubernetes {OLDEST}"
        in text
    )
    assert "Always" == SIDECAR["restartPolicy"]


def test_all_files_are_taken() -> None:
    files = {path.name for path in BASE.iterdir()}

    assert {*OBJECTS, "kustomization.yaml", "sidelight.yaml"} == files
    assert [{"name": "sidelight", "files": ["sidelight.yaml"]}] == (
        KUSTOMIZATION["configMapGenerator"]
    )


def test_the_settings_are_good_and_name_an_origin() -> None:
    loaded = settings()

    assert [] == list(loaded.warnings)
    assert ["http://127.0.0.1:8000"] == [
        url for up in loaded.upstreams.values() for url in up.endpoints
    ]
    assert loaded.cors.origins
    assert "*" not in loaded.cors.origins


def test_the_ports_are_those_of_the_settings() -> None:
    ports = {port["name"]: port["containerPort"] for port in SIDECAR["ports"]}
    (service,) = OBJECTS["service.yaml"]["spec"]["ports"]
    open_ports = [
        (port["port"], "from" in rule)
        for rule in OBJECTS["networkpolicy.yaml"]["spec"]["ingress"]
        for port in rule["ports"]
    ]
    (scraped,) = OBJECTS["podmonitor.yaml"]["spec"]["podMetricsEndpoints"]

    assert {"http": settings().listen.port, "admin": settings().admin.port} == ports
    assert ports["http"] == service["targetPort"]
    assert [(ports["http"], False), (ports["admin"], True)] == open_ports
    assert scraped["port"] in ports


def test_every_object_means_the_same_pods() -> None:
    labels = POD["metadata"]["labels"]
    selectors = [
        OBJECTS["deployment.yaml"]["spec"]["selector"]["matchLabels"],
        OBJECTS["service.yaml"]["spec"]["selector"],
        OBJECTS["networkpolicy.yaml"]["spec"]["podSelector"]["matchLabels"],
        OBJECTS["poddisruptionbudget.yaml"]["spec"]["selector"]["matchLabels"],
        OBJECTS["podmonitor.yaml"]["spec"]["selector"]["matchLabels"],
    ]

    assert [labels] * 5 == selectors


def test_the_rules_find_the_job_of_the_pod_monitor() -> None:
    (scraped,) = OBJECTS["podmonitor.yaml"]["spec"]["podMetricsEndpoints"]

    assert [{"targetLabel": "job", "replacement": "sidelight"}] == scraped["relabelings"]
    alerts = (HOME.parent / "prometheus" / "alerts.yml").read_text()
    assert 'up{job="sidelight"}' in alerts


def test_no_probe_of_the_sidecar_asks_about_the_upstream() -> None:
    probes = {name: SIDECAR[name]["httpGet"] for name in SIDECAR if name.endswith("Probe")}

    assert {
        "startupProbe": {"path": "/livez", "port": "admin"},
        "readinessProbe": {"path": "/readyz", "port": "admin"},
        "livenessProbe": {"path": "/livez", "port": "admin"},
    } == probes


def test_the_backend_is_asked_itself_whether_it_is_ready() -> None:
    port = BACKEND["readinessProbe"]["httpGet"]["port"]

    assert [port] == [each["name"] for each in BACKEND["ports"]]


def test_a_drain_has_time_to_end() -> None:
    """First the backend, from its preStop on, then the sidecar."""
    pause = BACKEND["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = settings().drain
    needed = pause + BACKEND_LIMIT + drain.readiness_delay + drain.limit

    assert needed < POD["spec"]["terminationGracePeriodSeconds"]
    assert f"up to {BACKEND_LIMIT} s" in (BASE / "deployment.yaml").read_text()
    assert seconds("10s") == drain.limit


def test_nothing_may_write_or_become_more() -> None:
    assert POD["spec"]["securityContext"]["runAsNonRoot"]
    assert not POD["spec"]["automountServiceAccountToken"]
    for container in (SIDECAR, BACKEND):
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert {"drop": ["ALL"]} == container["securityContext"]["capabilities"]
    assert SIDECAR["securityContext"]["readOnlyRootFilesystem"]


def test_the_overlay_changes_what_is_there_and_brings_the_token() -> None:
    overlay = yaml.safe_load((OVERLAY / "kustomization.yaml").read_text())
    (token,) = [each for each in SIDECAR["env"] if each["name"] == "SIDELIGHT_ADMIN__TOKEN"]
    reference = token["valueFrom"]["secretKeyRef"]
    (secret,) = overlay["secretGenerator"]

    assert BASE == (OVERLAY / overlay["resources"][0]).resolve()
    assert {SIDECAR["image"], BACKEND["image"]} == {image["name"] for image in overlay["images"]}
    assert [OBJECTS["deployment.yaml"]["metadata"]["name"]] == [
        r["name"] for r in overlay["replicas"]
    ]
    assert secret["name"] == reference["name"]
    assert ["token.env"] == secret["envs"]
    assert f"\n{reference['key']}=\n" in (OVERLAY / "token.env.example").read_text()


TLS = HOME / "components" / "tls"


def changed_by(*components: Path) -> dict[str, Any]:
    """The Deployment, as components change it."""
    changed = copy.deepcopy(OBJECTS["deployment.yaml"])
    for component in components:
        for step in yaml.safe_load((component / "deployment.yaml").read_text()):
            node: Any = changed
            *way, last = step["path"].strip("/").split("/")
            for part in way:
                node = node[int(part)] if isinstance(node, list) else node[part]
            assert "add" == step["op"]
            if isinstance(node, list):
                assert "-" == last
                node.append(step["value"])
            else:
                assert last not in node
                node[last] = step["value"]
    return changed


def with_tls() -> dict[str, Any]:
    """The Deployment, as the component for TLS changes it."""
    return changed_by(TLS)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_deployment_with_tls_is_valid(version: str) -> None:
    assert version == kubernetes_validate.validate(with_tls(), version, strict=True)


def test_the_secret_of_the_certificate_is_mounted_and_its_files_are_named() -> None:
    certificate = yaml.safe_load((TLS / "certificate.yaml").read_text())
    pod = with_tls()["spec"]["template"]["spec"]
    sidecar = pod["initContainers"][0]
    mounts = {mount["name"]: mount["mountPath"] for mount in sidecar["volumeMounts"]}
    env = {one["name"]: one["value"] for one in sidecar["env"] if "__TLS__" in one["name"]}
    tls = load(BASE / "sidelight.yaml", env).listen.tls

    assert certificate["spec"]["secretName"] in [
        volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume
    ]
    assert tls is not None
    assert (f"{mounts['tls']}/tls.crt", f"{mounts['tls']}/tls.key") == (tls.certificate, tls.key)


FLEET = HOME / "components" / "fleet"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("components", [(FLEET,), (TLS, FLEET), (FLEET, TLS)])
def test_the_deployment_of_a_fleet_is_valid(components: tuple[Path, ...], version: str) -> None:
    found = changed_by(*components)

    assert version == kubernetes_validate.validate(found, version, strict=True)


def test_a_fleet_has_one_store_by_the_files_of_a_secret_and_a_collector() -> None:
    pod = changed_by(FLEET)["spec"]["template"]["spec"]
    sidecar = pod["initContainers"][0]
    (secret,) = [volume for volume in pod["volumes"] if "secret" in volume]
    mounts = {mount["name"]: mount["mountPath"] for mount in sidecar["volumeMounts"]}
    env = {one["name"]: one["value"] for one in sidecar["env"] if "value" in one}
    image = {"SIDELIGHT_STORE__PATH": "/var/lib/sidelight/sidelight.db"}
    loaded = load(BASE / "sidelight.yaml", image | env)
    url = conninfo_to_dict(loaded.store.url.get_secret_value())
    named = (FLEET / "kustomization.yaml").read_text()

    assert loaded.store.path is None
    assert f"{mounts['postgres']}/pgpass" == url["passfile"]
    assert f"{mounts['postgres']}/ca.crt" == url["sslrootcert"]
    assert "verify-full" == url["sslmode"]
    assert f"name: {secret['secret']['secretName']}" in named
    assert "files: [pgpass, ca.crt]" in named
    assert 0o440 == secret["secret"]["defaultMode"]
    assert 65532 == pod["securityContext"]["fsGroup"]
    assert "USER 65532:65532" in (HOME.parents[1] / "Dockerfile").read_text()
    assert loaded.tracing.endpoint
    assert {"metadata.name"} == {
        one["valueFrom"]["fieldRef"]["fieldPath"]
        for one in sidecar["env"]
        if one["name"] == "SIDELIGHT_INSTANCE"
    }
