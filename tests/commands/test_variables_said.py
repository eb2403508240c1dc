"""What a start would say of `OTEL_*` variables is a warning of `sidelight check`."""

import json

from proxy.cli import main
from proxy.commands.variables_said import said_of_variables
from proxy.settings.load import parse
from tests.reload.conftest import SETTINGS

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"


def said(**environ: str) -> list[str]:
    return said_of_variables(parse(SETTINGS), environ)


def test_what_holds_is_not_said() -> None:
    assert [] == said(**{BASE: "http://collector:4318", "OTEL_TRACES_SAMPLER": "always_on"})


def test_what_is_ignored_is_said_with_what_was_expected() -> None:
    assert ["OTEL_TRACES_SAMPLER_ARG is ignored: must be a number from 0 to 1"] == said(
        OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="2"
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path) -> None:
    missing = str(tmp_path / "ca.pem")
    files = {"OTEL_EXPORTER_OTLP_CERTIFICATE": missing}
    (told,) = said(**{BASE: "https://collector:4318"}, **files)

    assert told.startswith("tracing.ca_file, from the environment: ")
    assert missing in told
    assert [] == said(**{BASE: "http://collector:4318"}, **files)


def test_check_says_it_and_finds_no_fault(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "perhaps")
    file = tmp_path / "s.yaml"
    file.write_text(SETTINGS)

    assert 0 == main(["check", str(file)])
    assert "warning: OTEL_TRACES_SAMPLER is ignored: known are" in capsys.readouterr().err
    assert 0 == main(["check", str(file), "--json"])
    (told,) = json.loads(capsys.readouterr().out)["warnings"]
    assert told.startswith("OTEL_TRACES_SAMPLER is ignored")
