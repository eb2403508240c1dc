"""Settings are read again from where they came from, and never half of a file."""

import time

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.source import LOOKS, Source
from tests.reload.conftest import SETTINGS


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sidelight.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture
def pauses(monkeypatch):
    """What happens in each pause between two looks, instead of waiting."""
    steps: list = []
    monkeypatch.setattr(time, "sleep", lambda _: steps.pop(0)() if steps else None)
    return steps


def test_the_environment_lies_over_the_file(file) -> None:
    assert 7 == Source(file, {"SIDELIGHT_LISTEN__PORT": "7"}).load(pause=0).listen.port


def test_a_file_that_is_written_is_read_when_two_looks_agree(file, pauses) -> None:
    whole = SETTINGS.replace("gap: 7s", "gap: 9s")
    file.write_text(whole[:80])
    pauses += [lambda: file.write_text(whole[:160]), lambda: file.write_text(whole)]

    assert 9.0 == Source(file, {}).load().routes[0].timeouts.gap
    assert [] == pauses


def test_a_file_that_is_never_still_is_a_fault(file, pauses) -> None:
    pauses += [lambda n=n: file.write_text(f"{SETTINGS}# {n}") for n in range(LOOKS)]

    with pytest.raises(SettingsError, match="is being written"):
        Source(file, {}).load()


def test_its_sign_is_that_of_the_content(file, tmp_path) -> None:
    source = Source(file, {})
    source.load(pause=0)

    assert source.seen == source.sign()
    file.touch()
    assert source.seen == source.sign()
    file.write_text(f"{SETTINGS}# another\n")
    assert source.seen != source.sign()


def test_a_symbolic_link_that_is_swapped_counts(file, tmp_path) -> None:
    """As Kubernetes swaps `..data`."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.yaml").write_text(f"{SETTINGS}# {name}\n")
    data = tmp_path / "..data"
    data.symlink_to("one")
    (tmp_path / "s.yaml").symlink_to("..data/s.yaml")
    source = Source(tmp_path / "s.yaml", {})
    source.load(pause=0)
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(data)

    assert source.seen != source.sign()


def test_a_file_that_is_gone_is_a_fault_that_is_seen_once(file) -> None:
    source = Source(file, {})
    source.load(pause=0)
    file.unlink()

    assert source.seen != source.sign()
    with pytest.raises(SettingsError, match="cannot be read"):
        source.load(pause=0)
    assert source.seen == source.sign()


def test_without_a_file_the_same_is_read_again() -> None:
    source = Source(None, {}, "http://127.0.0.1:9")

    assert source.load() == source.load()
    assert source.seen == source.sign()
    assert "settings" == source.name
