"""The models of the settings."""

import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from proxy.settings.faults import SettingsError
from proxy.settings.load import from_upstream, parse
from proxy.settings.schema import Policy, shape

FILE = """
upstreams: { a: { endpoints: ['http://a:1'] } }
routes: [{ name: r, match: {}, upstream: a }]
"""


def test_the_clocks_are_those_of_the_design():
    timeouts = Policy().timeouts.model_dump()

    assert timeouts == {
        "request_body_gap": 30,
        "request_body": None,
        "min_upload_rate": 1024,
        "connect": 3,
        "pool_wait": 2,
        "head": 30,
        "first_event": 60,
        "gap": 30,
        "event_gap": None,
        "max_stream": 900,
        "total": 60,
        "client_write": 30,
        "tunnel_idle": 600,
    }


def test_settings_never_change():
    settings = from_upstream("http://a:1")

    with pytest.raises(ValidationError):
        settings.service = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.routes[0].timeouts.head = 1  # type: ignore[misc]


def test_the_token_is_never_shown():
    settings = parse(FILE + "admin: { token: canary-canary-canary }")

    assert settings.admin.token.get_secret_value() == "canary-canary-canary"
    assert "canary" not in repr(settings) + settings.model_dump_json()


def test_the_hash_changes_with_what_holds_and_only_with_that():
    plain = parse(FILE).config_hash

    assert len(plain) == 12
    assert parse(f"# a comment\n{FILE}log: {{ level: info }}").config_hash == plain
    assert parse(f"{FILE}log: {{ level: error }}").config_hash != plain
    assert parse(f"{FILE}trusted_proxies: [10.0.0.0/8]").config_hash != plain


def test_the_hash_tells_nothing_of_secrets_but_that_there_are_any():
    hashes = [
        parse(FILE + line).config_hash
        for line in ("", f"admin: {{ token: {'a' * 16} }}", f"admin: {{ token: {'b' * 16} }}")
    ]

    assert hashes[0] != hashes[1] == hashes[2]


def test_the_hash_is_the_same_in_another_process():
    code = "from proxy.settings.load import *; print(from_upstream('http://a:1').config_hash)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert found == {from_upstream("http://a:1").config_hash}


def test_cors_without_origins_is_none():
    assert parse(f"{FILE}cors: {{ max_age: 1m }}").cors is None


def test_the_shape_is_made_once():
    assert shape() is shape()


@pytest.mark.parametrize("name", ["none", "other"])
def test_a_route_takes_no_name_that_metrics_use_for_others(name: str) -> None:
    with pytest.raises(SettingsError, match="take another name"):
        parse(
            "upstreams: { a: { endpoints: ['http://h:1'] } }\n"
            f"routes: [{{ name: {name}, match: {{ path: / }}, upstream: a }}]"
        )
