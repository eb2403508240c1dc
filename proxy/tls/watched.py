"""A TLS context that is made anew when its files change; a bad new pair leaves the old one.

Polled, because neither a rename nor Kubernetes' swap of a symbolic link touches the file itself.
"""

import os
import ssl
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from proxy.clock import iso, wall
from proxy.tls.facts import CertificateFacts
from proxy.tls.files import TlsFileError, port_context, read_certificates
from proxy.tls.rules import PortTls

Change = Literal["loaded", "rejected", "restored"]
"""What became of files that changed; `restored`: the ones in force are back."""

AnyContext = TypeVar("AnyContext", bound=ssl.SSLContext)

_Sign = tuple[int, int, int, int] | None
"""Of a file; None where it cannot be looked at."""


class WatchedTls(Generic[AnyContext]):
    """The context of one port or upstream. `make` raises TlsFileError; so does the constructor."""

    def __init__(
        self,
        name: str,
        make: Callable[[], AnyContext],
        *,
        certificate: str | None,
        others: tuple[str | None, ...] = (),
    ) -> None:
        self.name = name
        """As the settings say it: `listen`, `admin`, `upstreams.chat`."""
        self._make = make
        self._certificate = certificate
        self._paths = [path for path in (certificate, *others) if path is not None]
        self._failed: list[_Sign] | None = None
        """Files that could not be used at the last look."""
        self.rejected: str | None = None
        """Why the files on disk are not in force; None where they are."""
        self._loaded = self._signs()
        self.context = make()
        self.expires = self._ends()
        """Seconds since 1970; None where there is no certificate of ours."""

    @property
    def facts(self) -> CertificateFacts:
        return CertificateFacts(self.name, self.expires, self.rejected)

    def look(self, at: float | None = None) -> Change | None:
        """Load the files if they changed. Blocks: call it in a thread."""
        seen = self._signs()
        if seen == self._loaded:
            was, self.rejected, self._failed = self.rejected, None, None
            return "restored" if was is not None else None
        try:
            context, expires = self._make(), self._ends()
            self._refuse_expired(expires, wall() if at is None else at)
        except TlsFileError as error:
            return self._reject(seen, str(error))
        self.context, self.expires, self._loaded = context, expires, seen
        self.rejected = self._failed = None
        return "loaded"

    def _reject(self, seen: list[_Sign], why: str) -> Change | None:
        """Say it once, and only of files that somebody is not just writing: a key follows its
        certificate."""
        is_settled, self._failed = seen == self._failed, seen
        if not is_settled or self.rejected == why:
            return None
        self.rejected = why
        return "rejected"

    def _refuse_expired(self, expires: float | None, at: float) -> None:
        if expires is not None and expires <= at < (self.expires or 0.0):
            raise TlsFileError(
                "certificate", f"{self._certificate} expired at {iso(expires)}, the one in force "
                "is still valid"
            )  # fmt: skip

    def _ends(self) -> float | None:
        """The earliest end of the chain: with any of its certificates the whole ends."""
        if self._certificate is None:
            return None
        return min(one.ends for one in read_certificates(self._certificate))

    def _signs(self) -> list[_Sign]:
        return [_sign(path) for path in self._paths]


PortWatchedTls = WatchedTls[ssl.SSLContext]


def port_tls(name: str, rule: PortTls) -> PortWatchedTls:
    """Of the port that the settings call `name`. Raises TlsFileError."""
    return WatchedTls(
        name,
        lambda: port_context(rule),
        certificate=rule.certificate,
        others=(rule.key, rule.client_ca),
    )


def _sign(path: str) -> _Sign:
    try:
        found = os.stat(path)  # noqa: PTH116 - behind symbolic links
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
