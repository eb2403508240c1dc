"""How an https endpoint is believed."""

import ssl

from proxy.upstream.rules import TlsRule


def context_of(rule: TlsRule) -> ssl.SSLContext:
    """The TLS context for one upstream.

    Raises OSError where `ca_file` cannot be read, ssl.SSLError where it holds no certificate.
    """
    context = ssl.create_default_context(cafile=rule.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    if not rule.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
