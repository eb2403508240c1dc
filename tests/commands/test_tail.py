"""`sidelight tail`, as it is typed."""

import json
from urllib.parse import urlencode

import pytest

from proxy.cli import main
from tests.admin.conftest import LISTED


def asked(path: str, **question: object) -> str:
    return f"{path}?{urlencode(question)}"


def test_the_last_ones_are_listed_oldest_first(port, capsys) -> None:
    two = [{**LISTED, "request_id": name} for name in ("newer", "older")]
    port.answers[asked("/api/requests", limit=2)] = (200, {"requests": two})

    assert 0 == main(["tail", "--admin", port.url, "-n", "2"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("older")
    assert second.endswith("newer")
    assert "→ stream_stalled (uS)  POST  /api/chat  22.0 s" in first


def test_filters_are_passed_on(port, capsys) -> None:
    question = "/api/requests?" + urlencode({"path": "/a/*", "field.user": "u1", "limit": 20})
    port.answers[question] = (200, {"requests": [LISTED]})

    words = ["tail", "--admin", port.url, "--path", "/a/*", "--field", "user=u1", "--json"]
    assert 0 == main(words)
    assert json.loads(capsys.readouterr().out) == LISTED


def test_what_follows_is_shown_and_what_was_missed_is_said(port, capsys) -> None:
    port.answers["/api/tail?"] = (200, {"cursor": 5})
    port.answers[asked("/api/requests", limit=20)] = (200, {"requests": []})
    question = asked("/api/tail", limit=1000, after=5, wait=20)
    port.answers[question] = (200, {"requests": [LISTED], "cursor": 6, "missed": 3})

    assert 1 == main(["tail", "--admin", port.url, "-f"])  # the port knows no cursor 6
    told = capsys.readouterr()
    assert "req-1" in told.out
    assert "3 requests ended in between" in told.err


@pytest.mark.parametrize("body", [{"faults": [{"parameter": "limit", "expected": "less"}]}])
def test_what_the_port_does_not_understand_is_said(port, capsys, body) -> None:
    port.answers[asked("/api/requests", limit=9999)] = (400, body)

    assert 1 == main(["tail", "--admin", port.url, "-n", "9999"])
    assert "limit: less" in capsys.readouterr().err
