"""A password file that a group may read is used, one that everybody may read is not."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import OperationalError

from proxy.diagnostics.stories.postgres_link import engine_for_writing, server_reason
from proxy.diagnostics.stories.postgres_passfile import with_passfile


@pytest.fixture
def passfile(tmp_path) -> Path:
    path = tmp_path / "pgpass"
    path.write_text("*:*:*:sidelight:hush")
    return path


def url_of(passfile: Path) -> str:
    return f"postgresql://sidelight@127.0.0.1/db?passfile={passfile}"


def test_libpq_is_given_a_copy_of_its_own(passfile) -> None:
    passfile.chmod(0o440)
    with with_passfile(url_of(passfile)) as conninfo:
        copy = Path(str(conninfo_to_dict(conninfo)["passfile"]))

        assert b"*:*:*:sidelight:hush" == copy.read_bytes()
        assert 0o400 == copy.stat().st_mode & 0o777
        assert "sidelight" == conninfo_to_dict(conninfo)["user"]
    assert not copy.exists()


@pytest.mark.parametrize("mode", [0o604, 0o444, 0o460])
def test_of_one_that_others_may_read_or_change_the_copy_is_empty(passfile, mode) -> None:
    """libpq would complain of it, with every attempt, where no line of a log should be."""
    passfile.chmod(mode)
    with with_passfile(url_of(passfile)) as conninfo:
        copy = Path(str(conninfo_to_dict(conninfo)["passfile"]))

        assert b"" == copy.read_bytes()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_any_other_file_is_left_to_libpq(passfile, mode) -> None:
    passfile.chmod(mode)
    with with_passfile(url_of(passfile)) as conninfo:
        assert url_of(passfile) == conninfo


def test_one_that_is_not_there_is_left_to_libpq(tmp_path) -> None:
    with with_passfile(url_of(tmp_path / "none")) as conninfo:
        assert url_of(tmp_path / "none") == conninfo


def test_the_server_takes_it(shared) -> None:
    Path(str(conninfo_to_dict(shared)["passfile"])).chmod(0o440)
    engine = engine_for_writing(shared)
    engine.connect().close()
    engine.dispose()


@pytest.mark.parametrize(
    ("mode", "said"), [(0o444, "mode 0444); make it 0600"), (None, "cannot be read: No such file")]
)
def test_what_is_wrong_with_it_is_said_once_and_by_us(shared, mode, said, capfd) -> None:
    passfile = Path(str(conninfo_to_dict(shared)["passfile"]))
    passfile.unlink() if mode is None else passfile.chmod(mode)
    engine = engine_for_writing(shared)
    with pytest.raises(OperationalError, match="no password supplied") as caught:
        engine.connect()

    assert said in server_reason(caught.value, shared)
    assert "" == capfd.readouterr().err
