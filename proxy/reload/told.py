"""What parts of the process are told of the settings, at the start and when they change."""

import socket

from proxy.diagnostics.rules import DiagnosticsRules
from proxy.settings.schema import Settings


def token_of(settings: Settings) -> str | None:
    """The admin token; None where there is none."""
    token = settings.admin.token
    return token.get_secret_value() if token else None


def diagnostics_rules(settings: Settings) -> DiagnosticsRules:
    """What diagnostics keep, judge and send by."""
    instance, link = settings.instance or socket.gethostname(), settings.tracing.link
    return DiagnosticsRules(
        settings.stories,
        settings.store,
        settings.alerts,
        instance,
        link,
        tuple(settings.observe.fields),
    )
