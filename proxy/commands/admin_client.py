"""HTTP client of the admin port, for commands."""

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from proxy.observation.redaction import USER_AGENT_CHARS, redact
from proxy.settings.load import load
from proxy.tls.files import load_authorities, load_pair
from proxy.tls.rules import PortTls

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
    tls: ssl.SSLContext | None = None
    """How an https port is believed; None: as the system believes."""

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
        if parts.scheme == "https":
            connection: HTTPConnection = HTTPSConnection(
                host, port, timeout=timeout, context=self.tls
            )
        else:
            connection = HTTPConnection(host, port, timeout=timeout)
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
    if url is not None:
        believed = None if admin.tls is None else own_tls(admin.tls, by_name=True)
        return AdminClient(url, token, believed)
    at = f"{bracketed(reached(admin.host))}:{admin.port}"
    if admin.tls is None:
        return AdminClient(f"http://{at}", token)
    return AdminClient(f"https://{at}", token, own_tls(admin.tls))


def connection_to(host: str, port: int, tls: PortTls | None, timeout: float) -> HTTPConnection:
    """A connection to our own admin port. Raises OSError where a file of `tls` cannot be used."""
    if tls is None:
        return HTTPConnection(host, port, timeout=timeout)
    return HTTPSConnection(host, port, timeout=timeout, context=own_tls(tls))


def own_tls(tls: PortTls, *, by_name: bool = False) -> ssl.SSLContext:
    """Believes a port of ours, by the file of its certificate. Raises TlsFileError.

    The host is not compared: it is the loopback, of which certificates know nothing. `by_name`
    where somebody named it: then authorities of the system count as well.
    Where the port asks for a certificate, its own is shown.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_authorities(context, "certificate", tls.certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate itself is enough
    if by_name:
        context.load_default_certs()
    else:
        context.check_hostname = False
    if tls.client_ca is not None:
        load_pair(context, tls.certificate, tls.key)
    return context


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
