"""Asking an admin port."""

from pathlib import Path

import pytest

from proxy.commands.admin_client import (
    AdminClient,
    UnreachableError,
    bracketed,
    find_admin,
    reached,
)


def test_the_token_goes_along(port) -> None:
    port.answers["/api/errors"] = (200, {"groups": []})
    answer = AdminClient(port.url, "sixteen-letters!").ask("/api/errors")

    assert (200, {"groups": []}) == (answer.status, answer.body)
    assert [("GET", "/api/errors", "Bearer sixteen-letters!")] == port.asked


def test_a_refusal_is_an_answer(port) -> None:
    assert 404 == AdminClient(f"{port.url}/").ask("/nope", "POST").status
    assert [("POST", "/nope", None)] == port.asked


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"\xff"])
def test_what_does_not_answer_like_an_admin_port_is_none(port, body: bytes) -> None:
    port.answers["/x"] = (200, body)

    with pytest.raises(UnreachableError, match="http://127"):
        AdminClient(port.url).ask("/x")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8081", "ftp://x", "http://", "http://127.0.0.1:1", "http://127.0.0.1:99999"]
)
def test_nobody_there_is_said(url: str) -> None:
    with pytest.raises(UnreachableError, match=url):
        AdminClient(url).ask("/livez")


def test_the_door_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDELIGHT_ADMIN__HOST", "::")
    monkeypatch.setenv("SIDELIGHT_ADMIN__PORT", "9000")
    monkeypatch.setenv("SIDELIGHT_ADMIN__TOKEN", "sixteen-letters!")

    assert AdminClient("http://[::1]:9000", "sixteen-letters!") == find_admin(None, None)
    assert AdminClient("http://elsewhere", "sixteen-letters!") == find_admin(
        "http://elsewhere", None
    )


def test_or_where_the_settings_say(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "admin: { port: 9001 }\nupstreams: { a: { endpoints: ['http://127.0.0.1:1'] } }\n"
        "routes: [{ name: a, match: {}, upstream: a }]\n"
    )

    assert AdminClient("http://127.0.0.1:9001") == find_admin(None, file)


def test_what_listens_anywhere_is_reached_on_the_loopback() -> None:
    assert ["127.0.0.1", "::1", "10.0.0.1"] == [reached(h) for h in ("0.0.0.0", "::", "10.0.0.1")]
    assert ["[::1]", "10.0.0.1"] == [bracketed(h) for h in ("::1", "10.0.0.1")]
