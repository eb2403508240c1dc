"""`sidelight explain`, as it is typed."""

import io
import json
from pathlib import Path

import pytest

from proxy.cli import main
from tests.admin.conftest import STALLED
from tests.commands.test_logs import EVENT, LINE

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch):
    return lambda words: monkeypatch.setattr("sys.stdin", io.StringIO(words))


@pytest.fixture(autouse=True)
def knows_two(port) -> None:
    for name in ("one", "two"):
        story = {**STALLED, "request_id": name}
        port.answers[f"/api/requests/{name}"] = (200, {"stories": [story], "store": "ok"})


def said(capsys) -> list[str]:
    """The IDs of the stories that were told."""
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if line in ("one", "two", "req-1", "req-2")]


def test_several_are_told_in_their_order(port, capsys) -> None:
    assert 0 == main(["explain", "--admin", port.url, "two", "one", "two"])
    assert said(capsys) == ["two", "one"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("one\n\ntwo\n", id="IDs"),
        pytest.param(
            "".join(json.dumps({**EVENT, "request_id": name}) + "\n" for name in ("one", "two")),
            id="lines of the log",
        ),
    ],
)
@pytest.mark.parametrize("dash", [[], ["-"]])
def test_ids_are_read_from_standard_input(port, piped, capsys, words, dash) -> None:
    piped(words)

    assert 0 == main(["explain", "--admin", port.url, *dash])
    assert said(capsys) == ["one", "two"]


def test_those_the_port_does_not_know_are_looked_for_in_each_log(port, tmp_path, capsys) -> None:
    for n in (1, 2):
        event = json.dumps({**EVENT, "request_id": f"req-{n}"})
        (tmp_path / f"{n}.log").write_text(f"{event}\n")
    files = [str(tmp_path / f"{n}.log") for n in (1, 2)]

    assert 0 == main(["explain", "--admin", port.url, "one", "req-1", "req-2", *files])
    assert said(capsys) == ["one", "req-1", "req-2"]


def test_all_instances_are_asked_for_by_a_switch(port, capsys) -> None:
    words = ["on 2 instances: 3 of 9 answered 500"]
    told = {"words": words, "likely": "it is this instance, pod-1"}
    story = {**STALLED, "request_id": "one", "all_instances": told}
    answer = (200, {"stories": [story], "store": "ok"})
    port.answers["/api/requests/one?instances=all"] = answer

    assert 0 == main(["explain", "--admin", port.url, "--all-instances", "one"])
    text = capsys.readouterr().out
    assert f"Everywhere: {words[0]}" in text
    assert "likely: it is this instance, pod-1" in text


def test_one_that_is_missing_costs_no_other(port, tmp_path, capsys) -> None:
    (tmp_path / "log").write_text("")

    assert 1 == main(["explain", "--admin", port.url, "one", "gone", str(tmp_path / "log")])
    told = capsys.readouterr()
    assert "\none\n" in f"\n{told.out}"
    assert "The logs do not name gone either." in told.err


def test_json_is_printed_where_it_is_asked_for(port, tmp_path, capsys) -> None:
    (tmp_path / "log").write_text("")

    words = ["explain", "--json", "--admin", port.url, "one", "gone", str(tmp_path / "log")]
    assert 1 == main(words)
    told = json.loads(capsys.readouterr().out)
    assert [story["request_id"] for story in told["stories"]] == ["one"]
    assert [each["id"] for each in told["missing"]] == ["gone"]


def test_without_an_id_it_says_what_to_do(piped, capsys) -> None:
    piped("")

    assert 1 == main(["explain", "--admin", NOWHERE])
    assert "no ID is given" in capsys.readouterr().err


def test_a_log_tells_by_the_beginning_of_an_id_and_as_it_was_pasted(tmp_path: Path, capsys) -> None:
    event = json.dumps({**json.loads(LINE), "request_id": "3f2a1b0c-1111"})
    (tmp_path / "log").write_text(f"{event}\n")
    for asked in ("3f2a1b0c", "Reference ID: 3F2A1B0C-1111"):
        assert 0 == main(["explain", "--admin", NOWHERE, asked, str(tmp_path / "log")])
        assert "3f2a1b0c-1111\n" in capsys.readouterr().out
