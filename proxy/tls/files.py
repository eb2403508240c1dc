"""Certificates and keys from files into a TLS context; faults of theirs in words of ours.

Blocks: call it before the loop runs, or in a thread.
"""

import ssl
from pathlib import Path
from typing import Final

from proxy.tls.dates import Validity, validities
from proxy.tls.rules import MinVersion, PortTls

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_LARGEST: Final = 1024 * 1024
"""Bytes of a file: the authorities of a whole system need a fifth of it."""
_KEY: Final = "PRIVATE KEY-----"


class TlsFileError(OSError):
    """A file cannot be used; `key` is the setting that names it."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def port_context(rule: PortTls) -> ssl.SSLContext:
    """The context of a port. Raises TlsFileError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 1  # the library's second one costs each handshake another 20 µs
    speak(context, rule.min_version)
    load_pair(context, rule.certificate, rule.key)
    if rule.client_ca is not None:
        load_authorities(context, "client_ca", rule.client_ca)
        is_optional = rule.client_certificate == "optional"
        context.verify_mode = ssl.CERT_OPTIONAL if is_optional else ssl.CERT_REQUIRED
    return context


def speak(context: ssl.SSLContext, min_version: MinVersion) -> None:
    """HTTP/1.1, by this version of TLS at least."""
    context.minimum_version = _VERSIONS[min_version]
    context.set_alpn_protocols(["http/1.1"])


def load_pair(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    """Take a certificate and its key; None: the key is in the certificate's file.

    Raises TlsFileError.
    """

    def no_password() -> str:
        raise TlsFileError(
            "key", f"{key_file} is encrypted, and nobody is there to be asked for its password; "
            "write it without one: openssl pkey -in FILE -out NEW"
        )  # fmt: skip

    key_file = key or certificate
    named = "key" if key else "certificate"
    read_certificates(certificate)
    if _KEY not in _text(named, key_file):
        raise TlsFileError(named, f"{key_file} holds no private key in PEM")
    try:
        context.load_cert_chain(certificate, key_file, no_password)
    except ssl.SSLError as error:
        raise _translated(error, named, certificate, key_file) from None
    except TlsFileError:
        raise
    except OSError as error:  # it was there a moment ago
        raise TlsFileError(named, f"{key_file} cannot be read: {error.strerror}") from None


def load_authorities(context: ssl.SSLContext, key: str, path: str) -> None:
    """Trust the authorities in the file that the setting `key` names. Raises TlsFileError."""
    try:
        context.load_verify_locations(cadata=_text(key, path))
    except (ssl.SSLError, ValueError):
        raise TlsFileError(key, f"{path} holds no certificate in PEM") from None


def read_certificates(path: str) -> list[Validity]:
    """When the certificates of the file `certificate` are valid, the port's own first.

    Raises TlsFileError.
    """
    try:
        found = validities(_text("certificate", path))
    except ValueError as error:
        raise TlsFileError("certificate", f"{path}: {error}") from None
    if not found:
        raise TlsFileError("certificate", f"{path} holds no certificate in PEM")
    return found


def _text(key: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise TlsFileError(key, f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST:
        raise TlsFileError(key, f"{path} is larger than 1MiB; this is no PEM file")
    return data.decode("ascii", "ignore")


def _translated(error: ssl.SSLError, named: str, certificate: str, key: str) -> TlsFileError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return TlsFileError(named, f"{key} is not the key of the certificate in {certificate}")
    if error.reason is None or error.reason in ("PEM_LIB", "NO_START_LINE"):
        return TlsFileError(named, f"{key} or {certificate} is broken PEM: {error}")
    return TlsFileError("certificate", f"{certificate} with {key} is refused: {error.reason}")
