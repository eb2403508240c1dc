"""What `check` can know of the URL of a shared store, and that nothing secret is ever told."""

import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from proxy.diagnostics.stories.store_url import OWN, PARAMETERS, address_of, checked, secrets_of

GOOD = "postgresql://sidelight:pa%2Fss@db.example:5433/stories"


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        "postgres://db/stories",
        "postgresql://a:5432,b:5432/stories?target_session_attrs=read-write",
        "postgresql:///stories?host=/var/run/postgresql",
        "postgresql://db/s?sslmode=verify-full&sslrootcert=/etc/ca.pem&passfile=/run/pass",
        "postgresql://db/s?options=-csearch_path%3Dteam",
        "postgresql://u:a#b?c:d@db/s",
        "postgresql://u@[::1]:5432,db/s",
        "postgresql://u@%2Frun%2Fpg/s",
        "postgresql://u@db/s?sslnegotiation=direct&sslmode=require&requirepeer=postgres",
    ],
)
def test_what_libpq_takes_is_taken(url) -> None:
    assert url == checked(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://db/stories", "must begin with postgresql://"),
        ("postgresql:///stories", "names no host"),
        ("postgresql://db/stories?sslmode=on", "none of disable, allow"),
        ("postgresql://db/stories?sslmod=require", "does not know: sslmod"),
        ("postgresql://u:se%cret@db/stories", "no escape"),
        ("postgresql://u:se cret@db/stories", "no escape"),
        ("postgresql://[db/stories", "a host or a port that can be none"),
        ("postgresql://db/s?secret-of-mine=1", "not a name at all"),
        ("postgresql://u:se/cret@db/s", "/ is written %2F"),
        ("postgresql://u:se@cret@db/s", "@ is written %40"),
        ("postgresql://u:secret@db:five/s", "a port is from 1 to 65535"),
        ("postgresql://u:secret@db:65536/s", "a port is from 1 to 65535"),
        ("postgresql://u:secret@a,b/s?port=5432,x", "a port is from 1 to 65535"),
        ("postgresql://u:se%00cret@db/s", "no escape"),
        ("postgresql://u@db/s?password=secret==", "an = within the value of password; write %3D"),
        ("postgresql://u@db/s?client_encoding=latin1", "not for it to set: client_encoding"),
        ("postgresql://u@db/s?connect_timeout=2s", "no number of seconds"),
        ("postgresql://u@db/s?target_session_attrs=rw", "none of any, read-write"),
    ],
)
def test_what_cannot_be_right_is_said_without_a_value(url, words) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        checked(url)

    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (GOOD, "postgresql://db.example:5433/stories"),
        ("postgresql://u@a:1,b:2/s?passfile=/run/pass", "postgresql://a:1,b:2/s"),
        ("postgresql:///s?host=/run/pg", "postgresql:///run/pg/s"),
        ("postgresql://u:se#cr?et@db/s", "postgresql://db/s"),
        ("postgresql://u:secret@a/s?host=b&dbname=other", "postgresql://b/other"),
    ],
)
def test_only_host_and_database_are_shown(url, text) -> None:
    assert text == address_of(url)


def test_a_password_is_known_as_it_stands_and_as_it_is_meant() -> None:
    assert {"pa%2Fss", "pa/ss"} == set(secrets_of(GOOD))
    assert {"h%2B+", "h++"} == set(secrets_of("postgresql://db/s?password=h%2B+"))
    assert ("se#cr?et",) == secrets_of("postgresql://u:se#cr?et@db/s")
    assert () == secrets_of("postgresql://u@db/s")


def test_every_parameter_of_libpq_is_known() -> None:
    """One that is not would be called unknown to it."""
    known = {each.keyword.decode() for each in Conninfo.get_defaults()}

    assert set() == known - PARAMETERS - OWN


@pytest.mark.parametrize("secret", ["a#b", "a?b", "a:b", "a%40b", "a%2Fb", "a+b"])
@pytest.mark.parametrize("form", ["postgresql://u:{}@db:1/s", "postgresql://u@db:1/s?password={}"])
def test_it_is_taken_apart_as_libpq_does(form, secret) -> None:
    url = form.format(secret)
    meant = conninfo_to_dict(checked(url))

    assert meant["password"] in secrets_of(url)
    assert f"postgresql://{meant['host']}:{meant['port']}/{meant['dbname']}" == address_of(url)
