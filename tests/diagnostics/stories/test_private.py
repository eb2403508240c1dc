"""What is made for us alone can be read by nobody else, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.diagnostics.stories.private import make_directory, make_file, take_rights


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directories_are_made_with_those_above_them(umask, tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b")

    assert [0o700, 0o700] == [rights(tmp_path / "a"), rights(tmp_path / "a" / "b")]


def test_a_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_directory(tmp_path)

    assert 0o755 == rights(tmp_path)


def test_a_file_is_made(umask, tmp_path: Path) -> None:
    make_file(tmp_path / "x")

    assert 0o600 == rights(tmp_path / "x")


def test_a_file_that_is_there_keeps_what_is_in_it_and_loses_its_rights(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("kept")
    (tmp_path / "x").chmod(0o666)
    make_file(tmp_path / "x")

    assert (0o600, "kept") == (rights(tmp_path / "x"), (tmp_path / "x").read_text())


def test_a_file_that_is_not_there_has_no_rights_to_take(tmp_path: Path) -> None:
    take_rights(tmp_path / "x")

    assert not (tmp_path / "x").exists()
