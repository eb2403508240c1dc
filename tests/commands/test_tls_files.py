"""What `check` says of files of TLS."""

import json

import pytest

from proxy.cli import main


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Exit code and words for a section `listen.tls`, or for an upstream's, or the collector's."""

    def run(listen=None, upstream=None, tracing=None):
        chat = {"endpoints": ["https://localhost:1"], "tls": upstream or {}}
        routes = [{"name": "all", "match": {"path": "/"}, "upstream": "chat"}]
        plain = {"upstreams": {"chat": chat}, "routes": routes, "tracing": tracing or {}}
        if listen is not None:
            plain["listen"] = {"tls": listen}
        file = tmp_path / "settings.yaml"
        file.write_text(json.dumps(plain, indent=1))
        return main(["check", str(file)]), capsys.readouterr().err

    return run


def files(pair):
    return {"certificate": str(pair.certificate), "key": str(pair.key)}


def test_good_files_are_good(check, authority):
    assert (0, "") == check(files(authority.server()), files(authority.server()))


def test_a_key_that_does_not_fit_is_a_fault_with_its_place(check, authority):
    pair, other = authority.server(), authority.server()
    code, said = check({**files(pair), "key": str(other.key)})

    assert 2 == code
    assert "settings.yaml:" in said
    assert f"listen.tls.key: {other.key} is not the key of the certificate" in said


def test_all_faults_are_said_at_once(check, authority):
    code, said = check(
        {**files(authority.server()), "client_ca": "/none"}, {"certificate": "/none"}
    )

    assert 2 == code
    assert "listen.tls.client_ca: /none cannot be read" in said
    assert "upstreams.chat.tls.certificate: /none cannot be read" in said


def test_files_for_a_collector_are_looked_into(check, authority):
    pair = files(authority.server())
    code, said = check(tracing={**pair, "ca_file": "/none"})

    assert 2 == code
    assert "tracing.ca_file: /none cannot be read" in said
    assert (0, "") == check(tracing={**pair, "ca_file": str(authority.certificate)})


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "expired at"), (10, "expires in 10.0 days"), (30, "")],
    ids=["expired", "soon", "later"],
)
def test_certificates_that_end_are_warned_of(check, authority, days, words):
    code, said = check(files(authority.server(days=days)))

    assert 0 == code
    assert words in said
    assert bool(words) == bool(said)
