"""An authority of its own for tests of TLS: certificates for any name, valid or not."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class Pair:
    """Files of a certificate and its key."""

    certificate: Path
    key: Path

    def replace_by(self, other: "Pair") -> None:
        """Put the files of another pair in the place of these, each by a rename."""
        for mine, theirs in ((self.certificate, other.certificate), (self.key, other.key)):
            written = mine.with_suffix(".new")
            written.write_bytes(theirs.read_bytes())
            written.rename(mine)


class Authority:
    """Its files stand in `home`."""

    def __init__(self, home: Path, name: str = "tests") -> None:
        self._home = home
        self._number = 0
        self.certificate, self._key = home / f"{name}-ca.pem", home / f"{name}-ca.key"
        _openssl("req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={name} authority",
                 "-keyout", self._key, "-out", self.certificate)  # fmt: skip

    def issue(
        self,
        *alternative: str,
        common: str = "localhost",
        days: int = 90,
        usage: str = "serverAuth,clientAuth",
    ) -> Pair:
        """A certificate with these alternative names, such as `DNS:localhost`; `days` below zero
        make one that has expired.
        """
        self._number += 1
        stem = self._home / f"{self._key.stem}-{self._number}"
        made = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        asked, more = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        names = f"subjectAltName={','.join(alternative)}\n" if alternative else ""
        more.write_text(f"{names}extendedKeyUsage={usage}\n")
        _openssl("req", *_KEY, "-subj", f"/CN={common}", "-keyout", made.key, "-out", asked)
        _openssl("x509", "-req", "-in", asked, "-CA", self.certificate, "-CAkey", self._key,
                 "-CAcreateserial", "-days", str(days), "-extfile", more,
                 "-out", made.certificate)  # fmt: skip
        return made

    def server(self, **unusual: int) -> Pair:
        """For localhost and 127.0.0.1."""
        return self.issue("DNS:localhost", "IP:127.0.0.1", **unusual)


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
