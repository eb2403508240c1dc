"""Fallbacks are checked before any port is opened."""

from pathlib import Path

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.load import parse

TEXT = """
upstreams:
  chat: { endpoints: ["http://127.0.0.1:1"] }
  spare: { endpoints: ["http://127.0.0.1:2"] }
policies:
  kind: { %s }
routes:
  - { name: all, match: { path: / }, upstream: chat, policy: kind, %s }
"""


def said(policy: str = "", route: str = "") -> list[str]:
    try:
        parse(TEXT % (policy, route), source="f")
    except SettingsError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("policy", "route"),
    [
        pytest.param("fallback: { upstream: spare }", "", id="another upstream"),
        pytest.param("fallback: { upstream: spare }", "fallback: { type: a/b, body: x }",
                     id="both"),
        pytest.param("fallback: { upstream: chat }", "fallback: { upstream: spare }",
                     id="laid over"),
        pytest.param("fallback: { upstream: chat }", "fallback: { upstream: null }",
                     id="taken away"),
        pytest.param("fallback: { type: a/b, body: x }",
                     "fallback: { body: null, file: /dev/null }", id="a file for a body"),
    ],
)  # fmt: skip
def test_what_can_be_given_is_no_fault(policy: str, route: str) -> None:
    assert [] == said(policy, route)


def test_an_upstream_that_is_not_there_is_refused_at_its_place() -> None:
    (fault,) = said("fallback: { upstream: spear }")

    assert fault == (
        'f:6:33: policies.kind.fallback.upstream: no upstream is named "spear"; '
        'did you mean "spare"?'
    )


@pytest.mark.parametrize(
    ("policy", "route"),
    [
        pytest.param("", "fallback: { upstream: chat }", id="of the route"),
        pytest.param("fallback: { upstream: chat }", "", id="of its policy"),
    ],
)
def test_a_fallback_to_the_upstream_itself_is_refused(policy: str, route: str) -> None:
    (fault,) = said(policy, route)

    assert "routes[0].fallback.upstream" in fault
    assert '"chat" is the upstream of the route all itself' in fault


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (fault,) = said(f"fallback: {{ type: text/html, file: {tmp_path}/none }}")

    assert f'policies.kind.fallback.file: "{tmp_path}/none" cannot be read: No such file' in fault


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        pytest.param("text/html", b"x" * (64 * 1024 + 1), "is larger than 64KiB", id="too large"),
        pytest.param("application/json", b"{sorry}", "is no JSON", id="no JSON"),
        pytest.param("text/event-stream", b"sorry", "has no event in it", id="no stream"),
    ],
)
def test_a_body_that_cannot_be_given_is_refused(
    tmp_path: Path, kind: str, data: bytes, words: str
) -> None:
    (tmp_path / "f").write_bytes(data)
    (fault,) = said("", f"fallback: {{ type: {kind}, file: {tmp_path}/f }}")

    assert f'routes[0].fallback.file: "{tmp_path}/f" {words}' in fault


def test_a_body_in_the_settings_is_looked_at_as_well() -> None:
    (fault,) = said("fallback: { type: application/json, body: sorry }")

    assert fault.startswith("f:6:53: policies.kind.fallback.body: is no JSON")
