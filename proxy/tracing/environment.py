"""What the `OTEL_*` variables say, laid below the settings: a key that is given there wins.

A variable that cannot be understood is left out and said, as OpenTelemetry asks for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import SecretStr, ValidationError

from proxy.tracing.conventions import METHODS
from proxy.tracing.rules import TracingRule
from proxy.tracing.variables import (
    NOT_HONOURED,
    PARSERS,
    parse_attributes,
    parse_collector,
    parse_flag,
    parse_headers,
    parse_methods,
    parse_share,
)

T = TypeVar("T")
TRACES_PATH: Final = "/v1/traces"
_OF_TRACES: Final = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_SAMPLERS: Final = {
    "always_on": (False, 1.0),
    "always_off": (False, 0.0),
    "traceidratio": (False, None),
    "parentbased_always_on": (True, 1.0),
    "parentbased_always_off": (True, 0.0),
    "parentbased_traceidratio": (True, None),
}
"""By name: whether parents are followed, and the share; None: the variable's argument."""
_OF_EXPORTER: Final = {
    "timeout": "TIMEOUT",
    "compression": "COMPRESSION",
    "ca_file": "CERTIFICATE",
    "certificate": "CLIENT_CERTIFICATE",
    "key": "CLIENT_KEY",
}
_PROPAGATORS: Final = {"tracecontext", "baggage", "b3", "b3multi"}
"""Baggage is a header like any other, and passes."""


@dataclass(slots=True)
class EffectiveTracing:
    """The rule that holds, the whole URL that spans are posted to, and what was not understood."""

    rule: TracingRule
    url: str | None
    """None: no spans are exported."""
    service: str
    methods: frozenset[str] = METHODS
    """Those that spans name; any other one is `_OTHER`."""
    ignored: dict[str, str] = field(default_factory=dict)
    """By variable: why it does not hold."""


def with_environment(
    rule: TracingRule, service: str, environ: Mapping[str, str]
) -> EffectiveTracing:
    """The settings with what the environment adds to them; `service` where nobody names it."""
    reader = _Reader(environ)
    given = rule.model_fields_set
    found = {key: value for key, value in reader.values().items() if key not in given}
    if "certificate" in given:
        found.pop("key", None)  # of another certificate
    merged = rule.model_copy(update=found)
    attributes = reader.attributes()
    resource = {k: v for k, v in attributes.items() if k != "service.name"} | rule.resource
    named = environ.get("OTEL_SERVICE_NAME") or attributes.get("service.name") or service
    named = resource.pop("service.name", named)
    merged = merged.model_copy(update={"resource": resource})
    url = reader.url(rule.endpoint)
    if url is not None:
        reader.ignored |= {name: why for name, why in NOT_HONOURED.items() if environ.get(name)}
    return EffectiveTracing(merged, url, named, reader.methods(), reader.ignored)


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.ignored: dict[str, str] = {}

    def url(self, endpoint: str | None) -> str | None:
        """Where spans go: the settings, or else the variable for traces, as it is, or for all."""
        if self._read("OTEL_SDK_DISABLED", parse_flag):
            return None
        exporters = set(self._words("OTEL_TRACES_EXPORTER")) or {"otlp"}
        if exporters == {"none"}:
            return None
        if "otlp" not in exporters:
            self.ignored["OTEL_TRACES_EXPORTER"] = "only otlp and none are known"
        return self._posted_to(endpoint)

    def methods(self) -> frozenset[str]:
        """Those that the conventions know, or that are named instead."""
        return self._read("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", parse_methods) or METHODS

    def _posted_to(self, endpoint: str | None) -> str | None:
        if endpoint is not None:
            return endpoint if endpoint.endswith(TRACES_PATH) else endpoint + TRACES_PATH
        if self._read(_OF_TRACES, parse_collector) is not None:
            return self._environ[_OF_TRACES].strip()
        of_all = self._read("OTEL_EXPORTER_OTLP_ENDPOINT", parse_collector)
        return of_all + TRACES_PATH if of_all is not None else None

    def values(self) -> dict[str, object]:
        """By key of the settings, what variables say."""
        found: dict[str, object] = {}
        self._add_sampler(found)
        for key, suffix in _OF_EXPORTER.items():
            self._add(found, key, *_both(suffix))
        if "key" in found and "certificate" not in found:
            del found["key"]
            own, of_all = _both("CLIENT_KEY")
            unused = own if self._environ.get(own) else of_all
            self.ignored[unused] = "there is no client certificate beside it"
        self._add(found, "interval", "OTEL_BSP_SCHEDULE_DELAY")
        self._add(found, "queue", "OTEL_BSP_MAX_QUEUE_SIZE")
        if headers := self._first(_both("HEADERS"), parse_headers):
            found["headers"] = {name: SecretStr(value) for name, value in headers.items()}
        named = set(self._words("OTEL_PROPAGATORS"))
        if named & {"b3", "b3multi"}:
            found["b3"] = True
        if named - _PROPAGATORS:
            self.ignored["OTEL_PROPAGATORS"] = "known are tracecontext, baggage, b3 and b3multi"
        for protocol in _both("PROTOCOL"):
            if self._words(protocol) not in (["http/protobuf"], []):
                self.ignored[protocol] = "only http/protobuf is spoken"
        return found

    def attributes(self) -> dict[str, str]:
        """Of the resource."""
        return self._read("OTEL_RESOURCE_ATTRIBUTES", parse_attributes) or {}

    def _add(self, found: dict[str, object], key: str, *variables: str) -> None:
        value = self._first(variables, PARSERS[key])
        if value is not None:
            found[key] = value

    def _first(self, variables: Sequence[str], parse: Callable[[str], T]) -> T | None:
        for variable in variables:
            value = self._read(variable, parse)
            if value is not None:
                return value
        return None

    def _add_sampler(self, found: dict[str, object]) -> None:
        name = self._environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
        if not name:
            return
        if name not in _SAMPLERS:
            self.ignored["OTEL_TRACES_SAMPLER"] = f"known are {', '.join(_SAMPLERS)}"
            return
        found["follow_parent"], share = _SAMPLERS[name]
        if share is None:
            share = self._read("OTEL_TRACES_SAMPLER_ARG", parse_share)
        found["sample"] = 1.0 if share is None else share

    def _words(self, variable: str) -> list[str]:
        """Of a list of known words, which may be written in capitals."""
        words = (word.strip().lower() for word in self._environ.get(variable, "").split(","))
        return [word for word in words if word]

    def _read(self, variable: str, parse: Callable[[str], T]) -> T | None:
        text = self._environ.get(variable, "").strip()
        if not text:
            return None
        try:
            return parse(text)
        except ValidationError as error:
            self.ignored[variable] = error.errors()[0]["msg"].removeprefix("Value error, ")
        except ValueError as error:
            self.ignored[variable] = str(error)
        return None


def _both(suffix: str) -> tuple[str, str]:
    """The variable for traces alone, which goes before, and that for all signals."""
    return f"OTEL_EXPORTER_OTLP_TRACES_{suffix}", f"OTEL_EXPORTER_OTLP_{suffix}"
