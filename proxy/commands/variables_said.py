"""Says which `OTEL_*` variables would not hold, as a start says it in the log.

None of them is a fault: a variable that is set for a whole cluster keeps nothing from starting.
"""

from collections.abc import Mapping

from proxy.settings.schema import Settings
from proxy.tls.files import TlsFileError
from proxy.tracing.environment import with_environment
from proxy.tracing.tls import collector_context


def said_of_variables(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Warnings. Reads the files that they name, so it blocks."""
    held = with_environment(settings.tracing, settings.service, environ)
    said = [f"{name} is ignored: {why}" for name, why in held.ignored.items()]
    if held.url is not None and held.url.startswith("https:"):
        try:
            collector_context(held.rule)
        except TlsFileError as error:  # those that the settings name are looked into before
            said.append(f"tracing.{error.key}, from the environment: {error}")
    return said
