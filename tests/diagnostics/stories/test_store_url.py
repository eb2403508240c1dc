"""What `check` can know of the URL of a shared store, and that nothing secret is ever told."""

import pytest

from proxy.diagnostics.stories.store_url import address_of, checked, secrets_of

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
        ("postgresql://[db/stories", "is not a URL"),
        ("postgresql://db/s?secret-of-mine=1", "not a name at all"),
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
    ],
)
def test_only_host_and_database_are_shown(url, text) -> None:
    assert text == address_of(url)


def test_a_password_is_known_as_it_stands_and_as_it_is_meant() -> None:
    assert {"pa%2Fss", "pa/ss"} == set(secrets_of(GOOD))
    assert ("hidden",) == secrets_of("postgresql://db/s?password=hidden")
    assert () == secrets_of("postgresql://u@db/s")
