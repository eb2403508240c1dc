"""How a server is connected to: TLS and passwords by file, and what its refusals are called."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from proxy.diagnostics.stories.postgres_link import engine_for_reading, server_reason
from proxy.diagnostics.stories.postgres_reading import PostgresReader
from proxy.diagnostics.stories.story import story_of
from proxy.diagnostics.stories.tables import NewerStoreError
from proxy.diagnostics.stories.writing import Row
from tests.authority import Authority
from tests.diagnostics.stories.shared_store import rule_of
from tests.postgres import Postgres, free_port

URL = "postgresql://u:CANARY@db/s"


def written(url: str, exchange) -> None:
    database = PostgresDatabase(url, rule_of(url), "pod-1")
    try:
        database.write([Row.of(story_of(exchange))], [], {})
    finally:
        database.let_go()


@pytest.fixture(scope="module")
def by_tls(tmp_path_factory):
    """A server with a certificate, and the files of its authority and of another."""
    home = tmp_path_factory.mktemp("tls")
    authority, other = Authority(home), Authority(home, "other")
    pair = authority.server()
    server = Postgres(free_port(), ssl="on", ssl_cert_file="server.pem", ssl_key_file="server.key")
    server.put("server.pem", pair.certificate)
    server.put("server.key", pair.key)
    try:
        server.start()
        server.database("sl_tls")
        yield server, authority.certificate, other.certificate
    finally:
        server.remove()


def test_a_certificate_is_verified(by_tls, exchange_of) -> None:
    server, authority, _ = by_tls
    url = f"{server.url('sl_tls', 'sl_tls')}&sslmode=verify-full&sslrootcert={authority}"
    written(url, exchange_of())
    engine = engine_for_reading(url)
    with engine.connect() as connection:
        asked = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        is_encrypted = connection.execute(asked).scalar()
    engine.dispose()

    assert is_encrypted


def test_a_certificate_of_somebody_else_is_refused(by_tls, exchange_of) -> None:
    server, _, other = by_tls
    url = f"{server.url('sl_tls', 'sl_tls')}&sslmode=verify-full&sslrootcert={other}"

    with pytest.raises(DBAPIError, match="certificate verify failed"):
        written(url, exchange_of())


def test_a_role_that_may_only_read_and_write_is_enough_once_there_are_tables(
    cluster, shared, exchange_of
) -> None:
    """As the documentation says for those whose roles may make no tables."""
    written(shared, exchange_of())
    owner = shared.partition("//")[2].partition("@")[0]
    user = f"{owner}_app"
    cluster.run(
        f"CREATE ROLE {user} LOGIN PASSWORD '{user}'",
        f"GRANT CONNECT ON DATABASE {owner} TO {user}",
        f"GRANT USAGE ON SCHEMA public TO {user}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}",
        database=owner,
    )
    url = cluster.url(owner, user)
    database = PostgresDatabase(url, rule_of(url, age=3600.0), "pod-2")
    database.write([Row.of(story_of(exchange_of()))], [], {})
    reader = PostgresReader(url)
    found = reader.find("id-1")
    reader.let_go()
    database.keep_bounds()
    database.let_go()

    assert 2 == len(found)
    assert [(0,)] == cluster.run("SELECT count(*) FROM stories", database=owner)


def test_who_reads_can_change_nothing(shared, exchange_of) -> None:
    written(shared, exchange_of())
    engine = engine_for_reading(shared)

    with pytest.raises(DBAPIError, match="read-only"), engine.connect() as connection:
        connection.execute(text("DELETE FROM stories"))
    engine.dispose()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(NewerStoreError(7), "schema version 7", id="newer"),
        pytest.param(
            DBAPIError("", {}, psycopg.OperationalError("no CANARY\n here")),
            "no [redacted] here", id="a password in what the server says",
        ),
        pytest.param(
            DBAPIError("", {}, psycopg.ProgrammingError("cannot adapt 'secret'")),
            "ProgrammingError", id="psycopg quotes what it was given",
        ),
        pytest.param(ValueError("secret"), "ValueError", id="something else"),
    ],
)  # fmt: skip
def test_a_reason_quotes_nothing_secret(error, reason) -> None:
    assert reason in server_reason(error, URL)
    assert "CANARY" not in server_reason(error, URL)
