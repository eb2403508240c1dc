"""What instances that share a store must have in common is demanded before they start."""

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.load import parse

SETTINGS = """
upstreams: { chat: { endpoints: ["http://127.0.0.1:8000"] } }
routes: [{ name: all, match: { path: / }, upstream: chat }]
"""
URL = "store: { url: postgresql://u:CANARY@db/stories }\n"
HASHED = "observe: { fields: { user: { header: X-User, hash: true } }"
KEY = ", hash_key: 0123456789abcdef0123"


def test_hashes_without_a_common_key_are_an_error() -> None:
    with pytest.raises(SettingsError, match=r"store\.url: .*observe\.hash_key must be set") as told:
        parse(f"{SETTINGS}{URL}{HASHED} }}")

    assert "CANARY" not in str(told.value)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(URL, id="nothing is hashed"),
        pytest.param(f"{URL}{HASHED}{KEY} }}", id="all have one key"),
        pytest.param(f"store: {{ path: /tmp/x }}\n{HASHED} }}", id="one instance keeps its own"),
    ],
)
def test_what_matches_needs_no_key(more) -> None:
    assert parse(SETTINGS + more).routes


def test_a_store_is_in_one_place() -> None:
    with pytest.raises(SettingsError, match="path and url exclude each other"):
        parse(f"{SETTINGS}store: {{ path: /tmp/x, url: postgresql://db/s }}")


@pytest.mark.parametrize("url", ["postgresql://u:CAN%ARY@db/s", "mysql://u:CANARY@db/s"])
def test_no_fault_shows_a_password(url) -> None:
    with pytest.raises(SettingsError, match=r"store\.url") as told:
        parse(f'{SETTINGS}store: {{ url: "{url}" }}')

    assert "ARY" not in str(told.value)
