"""What `check` says of the files that a store's URL names."""

import json

import pytest

from proxy.cli import main

ROUTES = [{"name": "all", "match": {"path": "/"}, "upstream": "chat"}]
CHAT = {"chat": {"endpoints": ["http://localhost:1"]}}


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Exit code and words for parameters of a store's URL."""
    monkeypatch.delenv("PGPASSFILE", raising=False)

    def run(parameters: str):
        file = tmp_path / "settings.yaml"
        url = f"postgresql://u@db/s?{parameters}"
        file.write_text(json.dumps({"upstreams": CHAT, "routes": ROUTES, "store": {"url": url}}))
        return main(["check", str(file)]), capsys.readouterr().err

    return run


@pytest.fixture
def passfile(tmp_path):
    made = tmp_path / "pgpass"
    made.write_text("*:*:*:u:CANARY")
    return made


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
def test_a_password_file_that_others_may_not_read_is_good(check, passfile, mode):
    passfile.chmod(mode)

    assert (0, "") == check(f"passfile={passfile}&sslrootcert=system")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660])
def test_one_that_is_passed_over_is_warned_of(check, passfile, mode):
    passfile.chmod(mode)
    code, said = check(f"passfile={passfile}")

    assert 0 == code
    assert "store.url: passfile" in said
    assert "make it 0600" in said
    assert "CANARY" not in said


@pytest.mark.parametrize("name", ["passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_file_that_is_not_there_is_warned_of(check, name):
    code, said = check(f"{name}=/nowhere/file")

    assert 0 == code
    assert f"{name} /nowhere/file cannot be read" in said


def test_a_password_file_of_the_environment_is_looked_at_as_well(check, passfile, monkeypatch):
    passfile.chmod(0o644)
    monkeypatch.setenv("PGPASSFILE", str(passfile))

    assert "make it 0600" in check("sslmode=prefer")[1]
