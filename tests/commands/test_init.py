"""A settings file from four answers."""

import io
import stat
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.settings.load import load

FLAGS = {
    "--upstream": "http://127.0.0.1:9000/",
    "--stream": "/v1/messages",
    "--origin": "https://app.example.com",
    "--token": "sixteen-letters${A}!",
}
ANSWERS = ["", "", "https://a.example", ""]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def file(tmp_path: Path, monkeypatch) -> Path:
    """The one to be written; nobody can be asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return tmp_path / "sidelight.yaml"


def words(**unusual: str | None) -> list[str]:
    flags = FLAGS | {f"--{name}": value for name, value in unusual.items()}
    return ["init", *(f"{name}={value}" for name, value in flags.items() if value is not None)]


def answer(monkeypatch, *answers: str) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("".join(f"{text}\n" for text in answers)))


def test_flags_make_a_file_that_says_what_they_say(file, capsys):
    assert 0 == main(words())
    settings = load(file, {})

    assert ("http://127.0.0.1:9000",) == settings.upstreams["backend"].endpoints
    assert [("/v1/messages", "streamed-chat"), ("/", "default")] == [
        (route.match.path, route.policy) for route in settings.routes
    ]
    assert ("https://app.example.com",) == settings.cors.origins
    assert "sixteen-letters${A}!" == settings.admin.token.get_secret_value()
    assert () == settings.warnings
    assert "next: sidelight run --config sidelight.yaml" in capsys.readouterr().err


def test_every_section_has_a_comment_and_only_its_owner_reads_the_secret(file):
    main(words())
    blocks = file.read_text().split("\n\n")

    assert [b for b in blocks if not b.strip().startswith(("#", "upstreams", "routes"))] == []
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_a_token_is_made_where_none_is_given(file, tmp_path):
    main([*words(token=None), "a.yaml"])
    main([*words(token=None), "b.yaml"])
    tokens = {load(tmp_path / name, {}).admin.token.get_secret_value() for name in ("a.yaml", "b.yaml")}  # fmt: skip  # noqa: E501

    assert [48, 48] == [len(token) for token in tokens]


def test_without_an_origin_there_is_none_and_never_everybody(file):
    main(words(origin=""))

    assert load(file, {}).cors is None
    assert '"*"' not in file.read_text()


def test_where_everything_streams_there_is_one_route(file):
    main(words(stream="/"))

    assert ["stream"] == [route.name for route in load(file, {}).routes]


def test_a_file_that_is_there_is_never_overwritten(file, capsys):
    file.write_text("mine")

    assert 2 == main(words())
    assert "sidelight.yaml: is there already, and is not overwritten" in capsys.readouterr().err
    assert "mine" == file.read_text()


def test_what_is_missing_is_named_where_nobody_can_be_asked(file, capsys):
    assert 2 == main(words(stream=None, origin=None, token=None))
    assert "give --stream, --origin as well" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"upstream": "a:1"}, "--upstream: 'a:1' is not an endpoint"),
        ({"stream": "/api/*"}, '--stream: "/api/*" has "*" in it'),
        ({"origin": "a.example"}, '--origin: "a.example" is not an origin'),
        ({"token": "short"}, "--token: must have at least 16 characters"),
    ],
)
def test_a_flag_that_is_wrong_is_refused_with_the_remedy(file, capsys, wrong, said):
    assert 2 == main(words(**wrong))
    assert said in capsys.readouterr().err
    assert not file.exists()


def test_on_a_terminal_everything_is_asked_for(file, monkeypatch, capsys):
    answer(monkeypatch, *ANSWERS)

    assert 0 == main(["init"])
    settings = load(file, {})
    assert ("http://127.0.0.1:8000",) == settings.upstreams["backend"].endpoints
    assert "/api/chat" == settings.routes[0].match.path
    assert ("https://a.example",) == settings.cors.origins
    assert "Path whose answers stream [/api/chat]: " in capsys.readouterr().out


def test_a_wrong_answer_is_asked_for_again_and_a_flag_is_not(file, monkeypatch, capsys):
    answer(monkeypatch, "chat", "/chat", "https://a.example", "")

    assert 0 == main(["init", "--upstream", "http://127.0.0.1:1"])
    assert "/chat" == load(file, {}).routes[0].match.path
    assert '"chat" is not a path' in capsys.readouterr().err


def test_answers_that_end_leave_nothing_behind(file, monkeypatch, capsys):
    answer(monkeypatch, "", "")

    assert 2 == main(["init"])
    assert "the answers ended; nothing was written" in capsys.readouterr().err
    assert not file.exists()
