"""Looks into the files that settings name for TLS, before anything listens."""

from collections.abc import Callable, Iterator

from proxy.clock import iso, wall
from proxy.diagnostics.alerts.conditions import DAY, EXPIRES
from proxy.settings.faults import KeyPath, SettingsError, SettingsFault
from proxy.settings.schema import Settings
from proxy.tls.files import TlsFileError, port_context, read_certificates
from proxy.tracing.tls import collector_context
from proxy.upstream.tls import context_of


def look_into_tls(settings: Settings) -> list[str]:
    """Warnings of certificates that are not valid, or not for long.

    Raises SettingsError where files cannot be used.
    """
    faults: list[SettingsFault] = []
    warnings: list[str] = []
    for path, certificate, make in _users(settings):
        try:
            make()
            if certificate is not None:
                warnings += _of_time(settings, path, certificate)
        except TlsFileError as error:
            full = (*path, error.key)
            faults.append(SettingsFault(settings.place_of(full), full, str(error)))
    if faults:
        raise SettingsError(faults)
    return warnings


def _users(settings: Settings) -> Iterator[tuple[KeyPath, str | None, Callable[[], object]]]:
    """Where files are named, that of the certificate, and what uses them."""
    for port, tls in (("listen", settings.listen.tls), ("admin", settings.admin.tls)):
        if tls is not None:
            yield (port, "tls"), tls.certificate, lambda tls=tls: port_context(tls)  # type: ignore[misc]
    for name, upstream in settings.upstreams.items():
        if any(url.startswith("https:") for url, _ in upstream.weights):
            rule = upstream.tls
            yield (("upstreams", name, "tls"), rule.certificate,
                   lambda rule=rule: context_of(rule))  # type: ignore[misc]  # fmt: skip
    tracing = settings.tracing
    if any((tracing.ca_file, tracing.certificate)):
        yield ("tracing",), tracing.certificate, lambda: collector_context(tracing)


def _of_time(settings: Settings, path: KeyPath, certificate: str) -> Iterator[str]:
    at, found = wall(), read_certificates(certificate)
    begins, ends = max(one.begins for one in found), min(one.ends for one in found)
    full = (*path, "certificate")
    if ends <= at:
        message = f"{certificate} expired at {iso(ends)}: whoever checks it will refuse it"
    elif at < begins:
        message = f"{certificate} is valid from {iso(begins)} on: until then it will be refused"
    elif ends - at < max(EXPIRES.values()):
        message = f"{certificate} expires in {(ends - at) / DAY:.1f} days, at {iso(ends)}"
    else:
        return
    yield str(SettingsFault(settings.place_of(full), full, message))
