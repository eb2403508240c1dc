"""Colours stand in a terminal only."""

import io

import pytest

from proxy.commands.colours import painted

LINES = "2026-11-22T03:00:00.000Z  GET /  504 → head_timeout (uH)  30 s\nProven:     x\nmore"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_shows_the_code_by_its_level_and_the_parts_of_the_diagnosis() -> None:
    shown = painted(LINES, Screen())

    assert "→ \033[31mhead_timeout\033[0m (uH)" in shown
    assert "\033[1mProven\033[0m" in shown or "\033[1mProven:" in shown
    assert shown.endswith("\nmore")


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_none_gets_none(monkeypatch: pytest.MonkeyPatch, variable) -> None:
    monkeypatch.setenv(*variable)

    assert painted(LINES, Screen()) == LINES


def test_a_file_gets_none() -> None:
    assert painted(LINES, io.StringIO()) == LINES
