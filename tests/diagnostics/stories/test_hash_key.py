"""The key of hashes: given, or made once and kept, or said to be of this process alone."""

import stat
from pathlib import Path

import pytest

from proxy.diagnostics.stories.hash_key import hash_key

GIVEN = "g" * 16


@pytest.fixture
def said() -> list[tuple[object, ...]]:
    return []


@pytest.fixture
def key_of(said):
    return lambda given, store: hash_key(given, store, lambda *event: said.append(event))


def test_one_that_is_given_is_taken(key_of, said, tmp_path: Path) -> None:
    assert GIVEN.encode() == key_of(GIVEN, str(tmp_path / "s.db"))
    assert [] == [*tmp_path.iterdir(), *said]


def test_one_is_made_beside_the_store_and_found_again(key_of, said, tmp_path: Path) -> None:
    store = tmp_path / "state" / "s.db"
    made = key_of(None, str(store))

    assert len(made) >= 32
    assert made == key_of(None, str(store))
    (kept,) = store.parent.iterdir()
    assert "s.db.hash-key" == kept.name
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert [] == said


def test_one_that_was_there_loses_the_rights_of_others(key_of, tmp_path: Path) -> None:
    kept = tmp_path / "s.db.hash-key"
    kept.write_text(f"{GIVEN}\n")
    kept.chmod(0o644)

    assert GIVEN.encode() == key_of(None, str(tmp_path / "s.db"))
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)


def test_without_a_store_each_process_has_its_own_and_says_so(key_of, said) -> None:
    assert key_of(None, None) != key_of(None, None)
    assert [
        ("hash_key_temporary", "warning", {"reason": "there is no store to keep it beside"})
    ] * 2 == said


def test_where_it_cannot_be_kept_that_is_said(key_of, said, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "s.db.hash-key").write_text("short")

    assert len(key_of(None, str(tmp_path / "file" / "s.db"))) >= 32
    assert len(key_of(None, str(tmp_path / "s.db"))) >= 32
    assert ["Not a directory", "s.db.hash-key holds no key"] == [
        fields["reason"] for _, _, fields in said
    ]
