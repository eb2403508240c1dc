"""`check --diff`, as CI calls it."""

import json

import pytest

from proxy.cli import main
from tests.reload.conftest import SETTINGS


@pytest.fixture
def files(tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(SETTINGS)
    new.write_text(SETTINGS)
    return old, new


def diff(files, *more: str) -> int:
    return main(["check", "--diff", *map(str, files), *more])


def test_the_same_settings_are_the_same(files, capsys) -> None:
    files[1].write_text(f"# a comment\n{SETTINGS}")

    assert 0 == diff(files)
    assert "the same\n" == capsys.readouterr().out


def test_a_change_says_what_it_does(files, capsys) -> None:
    change = SETTINGS.replace("cool_down: 30s", "cool_down: 40s")
    files[1].write_text(f"{change}listen: {{ port: 9 }}\n")

    assert 1 == diff(files)
    assert capsys.readouterr().out.splitlines() == [
        "changes:",
        "  listen.port: 8080 -> 9",
        "  routes.chat.breaker.cool_down: 30s -> 40s",
        "ends with the reload:",
        "  routes.chat: its circuit, which begins closed",
        "needs a restart, a reload leaves it:",
        "  listen.port",
    ]


def test_the_same_as_json(files, capsys) -> None:
    files[1].write_text(SETTINGS.replace("gap: 7s", "gap: 8s"))

    assert 1 == diff(files, "--json")
    told = json.loads(capsys.readouterr().out)
    assert ("changes", [], []) == (told["result"], told["lost"], told["needs_restart"])
    assert {"key": "routes.chat.timeouts.gap", "before": "7s", "after": "8s"} in told["changes"]
    assert told["old_hash"] != told["new_hash"]


@pytest.mark.parametrize("wrong", [0, 1])
def test_faults_of_either_are_all_said(files, capsys, wrong: int) -> None:
    files[wrong].write_text(SETTINGS.replace("gap: 7s", "gap: 8").replace("limit: 5", "limit: x"))

    assert 2 == diff(files, "--json")
    told = json.loads(capsys.readouterr().out)
    assert ("faults", 2) == (told["result"], len(told["faults"]))
    assert all(str(files[wrong]) in fault for fault in told["faults"])


def test_a_file_that_is_not_there_is_a_fault(files, capsys) -> None:
    files[0].unlink()

    assert 2 == diff(files)
    assert "cannot be read" in capsys.readouterr().err


def test_one_file_or_two(files, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert 2 == ended.value.code


def test_one_file_as_json(files, capsys) -> None:
    assert 0 == main(["check", str(files[0]), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert ("ok", 2, []) == (told["result"], told["routes"], told["warnings"])
    files[0].write_text("nothing: 1\n")
    assert 2 == main(["check", str(files[0]), "--json"])
    assert "faults" == json.loads(capsys.readouterr().out)["result"]


def test_warnings_are_those_of_the_new_settings(files, capsys) -> None:
    files[1].write_text(SETTINGS.replace("path: /api/chat", "path: /api/chat, methods: [GOT]"))

    assert 1 == diff(files)
    assert "GOT is no method" in capsys.readouterr().err
    assert 1 == diff(files, "--json")
    assert "GOT is no method" in json.loads(capsys.readouterr().out)["warnings"][0]
