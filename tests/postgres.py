"""A PostgreSQL server of a test's own: made, started, broken and removed by it."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg

from tests.deploy.tools import tool
from tests.house.house import free_port

__all__ = ["Postgres", "free_port"]

PATIENCE: Final = 60.0
PACKAGE: Final = "postgresql"
SETTINGS: Final = {
    "fsync": "off",  # a test's data may be lost
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "32MB",
}


def program(name: str) -> str:
    """Debian keeps the server's programs beside the PATH, one directory for each version."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else tool(name, PACKAGE)


class Postgres:
    """One cluster; `admin` is its superuser."""

    def __init__(self, port: int, **settings: str) -> None:
        self.port = port
        self._server, initdb = program("postgres"), program("initdb")
        self.home = Path(tempfile.mkdtemp(prefix="sidelight-pg-"))
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses to be root
        if self._user is not None:
            shutil.chown(self.home, self._user)
        self._data = self.home / "data"
        password = self.home / "admin"
        password.write_text("admin")
        command = [initdb, "-D", str(self._data), "-U", "admin", "-A", "scram-sha-256", "-N",
                   "-E", "UTF8", "--locale=C", f"--pwfile={password}"]  # fmt: skip
        subprocess.run(
            command, user=self._user, check=True, capture_output=True, cwd=self.home,
            timeout=PATIENCE,
        )  # fmt: skip
        lines = [f"{key} = '{value}'\n" for key, value in (SETTINGS | settings).items()]
        lines.append(f"unix_socket_directories = '{self.home}'\n")
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(lines)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Ready when it returns."""
        log = (self.home / "log").open("ab")
        command = [self._server, "-D", str(self._data), "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, user=self._user, stdout=log, stderr=log, cwd=self.home, start_new_session=True
        )
        log.close()
        end = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self._process.poll() is None, (self.home / "log").read_text()
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is its fast shutdown, SIGQUIT as after a crash."""
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(how)
        self._process.wait(PATIENCE)
        self._process = None

    def pause(self) -> None:
        """Stop every process of it, so that connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def crash(self) -> None:
        """Every process of it is killed, as when the machine is switched off."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home)

    def url(self, database: str = "postgres", user: str = "admin", **parameters: str) -> str:
        more = "".join(f"&{key}={value}" for key, value in parameters.items())
        passfile = self.passfile(user, parameters.pop("password", user))
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?passfile={passfile}{more}"

    def passfile(self, user: str, password: str) -> Path:
        """Written anew; libpq reads it with every connection."""
        path = self.home / f"{user}.pass"
        path.write_text(f"*:*:*:{user}:{password}\n")
        path.chmod(0o600)
        return path

    def run(self, *statements: str, database: str = "postgres") -> list[tuple]:
        """As the superuser; the rows of the last statement."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=10) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def database(self, name: str, *made: str) -> str:
        """A new one with a user of its name, who has what is documented and no more; its URL.

        `made` says how it is made.
        """
        self.run(
            f"CREATE ROLE {name} LOGIN PASSWORD '{name}'",
            f"CREATE DATABASE {name} {' '.join(made)}",
        )
        self.run(
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {name} TO {name}",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {name}",
            database=name,
        )
        return self.url(name, name)

    def put(self, name: str, source: Path) -> None:
        """A file for the server alone, before it starts."""
        path = self._data / name
        path.write_bytes(source.read_bytes())
        path.chmod(0o600)
        self.own(path)

    def own(self, path: Path) -> None:
        """Have the server own it."""
        if self._user is not None:
            shutil.chown(path, self._user)

    def disconnect(self, user: str) -> None:
        """End every session of that user."""
        self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'")

    def _is_ready(self) -> bool:
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in (parent, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):  # a connection that has just ended
                os.kill(pid, number)
