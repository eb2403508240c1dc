"""TLS to an https collector: which authorities are trusted, and the certificate that is shown."""

import ssl

from proxy.tls.files import load_authorities, load_pair
from proxy.tracing.rules import TracingRule


def collector_context(rule: TracingRule) -> ssl.SSLContext:
    """Reads the files, so it blocks. Raises TlsFileError."""
    context = ssl.create_default_context() if rule.ca_file is None else _of(rule.ca_file)
    if rule.certificate is not None:
        load_pair(context, rule.certificate, rule.key)
    return context


def _of(ca_file: str) -> ssl.SSLContext:
    """Trusts these authorities alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_authorities(context, "ca_file", ca_file)
    return context
