"""The commands, as they are typed."""

import io
import json
from pathlib import Path

import pytest

from proxy.cli import main
from tests.admin.conftest import BREAKER, GROUP, STALLED
from tests.commands.test_logs import LINE

NOWHERE = "http://127.0.0.1:1"
SENT = {"receiver": "a", "result": "sent"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is piped in."""
    monkeypatch.setattr("sys.stdin", Terminal())


def test_a_story_is_told_by_the_admin_port(port, capsys) -> None:
    port.answers["/api/requests/a%2Fb"] = (200, {"stories": [STALLED, STALLED], "store": "ok"})

    assert 0 == main(["explain", "--admin", port.url, " a/b "])
    assert 2 == capsys.readouterr().out.count("148 events, then nothing for 20.0 s")


def test_where_nobody_answers_the_logs_are_read(tmp_path: Path, capsys) -> None:
    (tmp_path / "log").write_text(f"noise\n{LINE}\n")

    assert 0 == main(["explain", "--admin", NOWHERE, "req-1", str(tmp_path / "log")])
    assert "head_timeout" in capsys.readouterr().out


@pytest.mark.parametrize("order", ["I A F", "A I F", "I F A", "F0 A F"])
def test_the_words_may_stand_in_any_order(tmp_path: Path, capsys, order: str) -> None:
    (tmp_path / "log").write_text(f"{LINE}\n")
    words = {
        "I": ["req-1"], "A": ["--admin", NOWHERE], "F": [str(tmp_path / "log")],
        "F0": ["req-1", "/dev/null"],
    }  # fmt: skip

    assert 0 == main(["explain", *(word for key in order.split() for word in words[key])])
    assert "head_timeout" in capsys.readouterr().out


def test_or_what_is_piped_in(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{LINE}\n"))

    assert 0 == main(["explain", "--admin", NOWHERE, "req-1"])
    assert "head_timeout" in capsys.readouterr().out


def test_where_the_port_does_not_know_the_id_the_logs_are_read_too(port, tmp_path, capsys) -> None:
    (tmp_path / "log").write_text(f"{LINE}\n")

    assert 0 == main(["explain", "--admin", port.url, "req-1", str(tmp_path / "log")])


def test_who_has_neither_is_told_what_to_do(port, capsys) -> None:
    assert 1 == main(["explain", "--admin", port.url, "req-1"])
    assert "Not there.\nGive the files of its JSON log" in capsys.readouterr().err


def test_an_id_that_is_nowhere_is_said(tmp_path: Path, capsys) -> None:
    (tmp_path / "log").write_text(f"{LINE}\n")

    assert 1 == main(["explain", "--admin", NOWHERE, "req-2", str(tmp_path / "log")])
    assert "do not name req-2" in capsys.readouterr().err


@pytest.mark.parametrize(("whole", "code"), [(LINE, 0), ("", 1)])
def test_lines_that_cannot_be_read_are_said(whole: str, code: int, tmp_path, capsys) -> None:
    (tmp_path / "log").write_bytes(f"{LINE[:200]}\n{whole}\n".encode() + b'\xff{"req-1\n')

    assert code == main(["explain", "--admin", NOWHERE, "req-1", str(tmp_path / "log")])
    assert "2 lines with this ID could not be read." in capsys.readouterr().err


def test_the_userinfo_of_an_admin_port_is_not_said(capsys) -> None:
    for url in ("http://u:CANARY@127.0.0.1:1", "ftp://u:CANARY@h", "http://u:CANARY@[x"):
        main(["errors", "--admin", url])

    assert "CANARY" not in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said(capsys) -> None:
    assert 1 == main(["explain", "--admin", NOWHERE, "req-1", "/nonexistent/log"])
    assert "No such file" in capsys.readouterr().err


def test_a_terminal_is_never_commanded(tmp_path: Path, capsys) -> None:
    evil = json.dumps({**json.loads(LINE), "path": "/\x1b[2J\x07", "detail": "\x9b2J"})
    (tmp_path / "log").write_text(f"{evil}\n")
    main(["explain", "--admin", NOWHERE, "req-1", str(tmp_path / "log")])

    assert capsys.readouterr().out.replace("\n", "").isprintable()


def test_errors_are_listed(port, capsys) -> None:
    port.answers["/api/errors"] = (200, {"groups": [GROUP]})

    assert 0 == main(["errors", "--admin", port.url])
    assert "stream_stalled  chat/model  0123456789ab  req-1" in capsys.readouterr().out


def test_no_errors_are_said(port, capsys) -> None:
    port.answers["/api/errors"] = (200, {"groups": []})

    assert 0 == main(["errors", "--admin", port.url])
    assert "No error has been recorded." in capsys.readouterr().out


def test_circuits_are_listed(port, capsys) -> None:
    port.answers["/api/breakers"] = (200, {"breakers": [BREAKER]})

    assert 0 == main(["breakers", "--admin", port.url])
    assert "open       4 of 10 attempts failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("results", "code", "said"),
    [
        pytest.param([], 1, "No receiver is set", id="nobody would hear"),
        pytest.param([SENT], 0, "a sent", id="everybody heard"),
        pytest.param(
            [SENT, {"receiver": "b", "result": "failed", "detail": "401"}],
            1, "b failed 401", id="one did not",
        ),
    ],
)  # fmt: skip
def test_a_test_alert_fails_unless_everybody_hears(port, capsys, results, code, said) -> None:
    port.answers["/api/alerts/test"] = (200, {"results": results})

    assert code == main(["alert-test", "--admin", port.url])
    assert said in capsys.readouterr().out
    assert "POST" == port.asked[0][0]


@pytest.mark.parametrize(
    ("token", "said"), [(None, "is not set"), ("sixteen-letters!", "is not its token")]
)
@pytest.mark.parametrize("command", [["errors"], ["explain", "req-1"]])
def test_who_has_no_good_token_is_told_the_variable(
    port, capsys, monkeypatch, command, token, said
) -> None:
    for path in ("/api/errors", "/api/requests/req-1"):
        port.answers[path] = (401, {"message": "Send the admin token."})
    if token:
        monkeypatch.setenv("SIDELIGHT_ADMIN__TOKEN", token)

    assert 1 == main([*command, "--admin", port.url])
    assert f"Send the admin token.\nSIDELIGHT_ADMIN__TOKEN {said}; " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["errors", "breakers", "alert-test"])
def test_a_refusal_and_nobody_are_said(port, capsys, command: str) -> None:
    assert 1 == main([command, "--admin", port.url])
    assert 1 == main([command, "--admin", NOWHERE])
    said = capsys.readouterr().err

    assert "Not there." in said
    assert NOWHERE in said


@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        (200, {"result": "loaded", "config_hash": "c0", "changed": ["a.b"]}, 0,
         "config c0\nchanged:\n  a.b\n"),
        (200, {"result": "loaded", "config_hash": "c0", "changed": []}, 0,
         "config c0\nnothing changed\n"),
        (422, {"result": "rejected", "faults": ["one", "two"]}, 2, "sidelight: one\ntwo\n"),
        (409, {"result": "refused", "reason": "it is draining"}, 1, "sidelight: it is draining\n"),
        (401, {"message": "Send the token."}, 1, "sidelight: Send the token.\n"),
    ],
)  # fmt: skip
def test_a_reload_says_what_came_of_it(port, capsys, status, body, code, said) -> None:
    port.answers["/reload"] = (status, body)

    assert code == main(["reload", "--admin", port.url])
    out, err = capsys.readouterr()
    assert (out + err).startswith(said)
    assert [("POST", "/reload")] == [asked[:2] for asked in port.asked]


def test_a_reload_of_nobody_is_said(capsys) -> None:
    assert 1 == main(["reload", "--admin", NOWHERE])
    assert "127.0.0.1:1" in capsys.readouterr().err
