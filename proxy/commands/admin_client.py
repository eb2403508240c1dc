"""HTTP client of the admin port, for commands."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from proxy.observation.redaction import USER_AGENT_CHARS, redact
from proxy.settings.load import load

_TIMEOUT: Final = 10.0
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # listening there, reached here


class UnreachableError(Exception):
    """Nobody answers there, or not as Sidelight does."""


@dataclass(frozen=True, slots=True)
class AdminResponse:
    """`body` is the JSON object that came."""

    status: int
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AdminClient:
    """Where the admin port is, and the token for it."""

    url: str
    token: str | None = None

    def ask(self, path: str, method: str = "GET", timeout: float = _TIMEOUT) -> AdminResponse:
        """Raises UnreachableError; any status is an answer."""
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in ("http", "https") or not host:
            shown = redact(self.url, USER_AGENT_CHARS)
            raise UnreachableError(f"{shown} is not a URL such as http://127.0.0.1:8081")
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = make(host, port, timeout=timeout)
        try:
            body = None if method == "GET" else b"{}"
            connection.request(method, parts.path.rstrip("/") + path, body, self._headers())
            answer = connection.getresponse()
            return AdminResponse(answer.status, _object(answer.read()))
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            said = redact(f"{self.url}: {error}", USER_AGENT_CHARS)
            raise UnreachableError(said) from error
        finally:
            connection.close()

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return {**headers, "Authorization": f"Bearer {self.token}"} if self.token else headers


def find_admin(url: str | None, config: Path | None) -> AdminClient:
    """As given, else as the settings and the environment say. Raises SettingsError."""
    # without a file the environment is enough to know the admin port
    admin = load(config, os.environ, None if config else "http://127.0.0.1").admin
    token = admin.token.get_secret_value() if admin.token else None
    return AdminClient(url or f"http://{bracketed(reached(admin.host))}:{admin.port}", token)


def reached(host: str) -> str:
    """The address by which somebody on this machine reaches a listener on `host`."""
    return _ANYWHERE.get(host, host)


def bracketed(host: str) -> str:
    """`host` as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _object(text: bytes) -> Mapping[str, object]:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("the answer is not that of an admin port")
    return body
