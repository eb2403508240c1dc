"""What the `OTEL_*` variables say, laid below the settings: a key that is given there wins.

A variable that cannot be understood is left out and said, as OpenTelemetry asks for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import unquote

from pydantic import SecretStr, TypeAdapter, ValidationError

from proxy.tracing.rules import CollectorUrl, ExportHeader, HeaderValue, TracingRule

T = TypeVar("T")
TRACES_PATH: Final = "/v1/traces"
_SAMPLERS: Final = {
    "always_on": (False, 1.0),
    "always_off": (False, 0.0),
    "traceidratio": (False, None),
    "parentbased_always_on": (True, 1.0),
    "parentbased_always_off": (True, 0.0),
    "parentbased_traceidratio": (True, None),
}
"""By name: whether parents are followed, and the share; None: the variable's argument."""
_FILES: Final = {
    "ca_file": "CERTIFICATE",
    "certificate": "CLIENT_CERTIFICATE",
    "key": "CLIENT_KEY",
}
_PROPAGATORS: Final = {"", "tracecontext", "baggage", "b3", "b3multi"}
"""Baggage is a header like any other, and passes."""
_MOST_MS: Final = {"timeout": 300_000, "interval": 60_000}


@dataclass(slots=True)
class EffectiveTracing:
    """The rule that holds, the whole URL that spans are posted to, and what was not understood."""

    rule: TracingRule
    url: str | None
    """None: no spans are exported."""
    service: str
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
    attributes = reader.pairs("OTEL_RESOURCE_ATTRIBUTES")
    resource = {k: v for k, v in attributes.items() if k != "service.name"} | rule.resource
    named = environ.get("OTEL_SERVICE_NAME") or attributes.get("service.name") or service
    named = resource.pop("service.name", named)
    merged = merged.model_copy(update={"resource": resource})
    url = reader.url(rule.endpoint)
    return EffectiveTracing(merged, url, named, reader.ignored)


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.ignored: dict[str, str] = {}

    def url(self, endpoint: str | None) -> str | None:
        """Where spans go: the settings, or else the variable for traces, as it is, or for all."""
        if self._environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return None
        exporters = self._environ.get("OTEL_TRACES_EXPORTER", "otlp").strip() or "otlp"
        if "otlp" not in (name.strip() for name in exporters.split(",")):
            if exporters != "none":
                self.ignored["OTEL_TRACES_EXPORTER"] = "only otlp and none are known"
            return None if exporters == "none" else self._posted_to(endpoint)
        return self._posted_to(endpoint)

    def _posted_to(self, endpoint: str | None) -> str | None:
        if endpoint is not None:
            return endpoint if endpoint.endswith(TRACES_PATH) else endpoint + TRACES_PATH
        of_traces = self._read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", _collector)
        if of_traces is not None:
            return of_traces
        of_all = self._read("OTEL_EXPORTER_OTLP_ENDPOINT", _collector)
        return of_all + TRACES_PATH if of_all is not None else None

    def values(self) -> dict[str, object]:
        """By key of the settings, what variables say."""
        found: dict[str, object] = {}
        self._add_sampler(found)
        for key, suffix in (("timeout", "TIMEOUT"), ("compression", "COMPRESSION")):
            self._add(found, key, self._of_traces(suffix))
        for key, suffix in _FILES.items():
            self._add(found, key, self._of_traces(suffix))
        if "key" in found and "certificate" not in found:
            del found["key"]
            self.ignored[self._of_traces("CLIENT_KEY")] = "there is no client certificate beside it"
        self._add(found, "interval", "OTEL_BSP_SCHEDULE_DELAY")
        self._add(found, "queue", "OTEL_BSP_MAX_QUEUE_SIZE")
        headers = self.pairs(self._of_traces("HEADERS"), _checked_headers)
        if headers:
            found["headers"] = {name: SecretStr(value) for name, value in headers.items()}
        named = {n.strip() for n in self._environ.get("OTEL_PROPAGATORS", "").split(",")}
        if named & {"b3", "b3multi"}:
            found["b3"] = True
        if named - _PROPAGATORS:
            self.ignored["OTEL_PROPAGATORS"] = "known are tracecontext, baggage, b3 and b3multi"
        protocol = self._of_traces("PROTOCOL")
        if self._environ.get(protocol, "http/protobuf") not in ("http/protobuf", ""):
            self.ignored[protocol] = "only http/protobuf is spoken"
        return found

    def pairs(
        self, variable: str, check: Callable[[dict[str, str]], dict[str, str]] = dict
    ) -> dict[str, str]:
        """A list as `name=value,name=value`, URL-encoded."""
        pairs = self._read(variable, lambda text: check(_pairs(text)))
        return pairs if pairs is not None else {}

    def _of_traces(self, suffix: str) -> str:
        """The variable that is set: that for traces alone, or that for all signals."""
        own = f"OTEL_EXPORTER_OTLP_TRACES_{suffix}"
        return own if self._environ.get(own) else f"OTEL_EXPORTER_OTLP_{suffix}"

    def _add(self, found: dict[str, object], key: str, variable: str) -> None:
        value = self._read(variable, _PARSERS[key])
        if value is not None:
            found[key] = value

    def _add_sampler(self, found: dict[str, object]) -> None:
        name = self._environ.get("OTEL_TRACES_SAMPLER", "").strip()
        if not name:
            return
        if name not in _SAMPLERS:
            self.ignored["OTEL_TRACES_SAMPLER"] = f"known are {', '.join(_SAMPLERS)}"
            return
        found["follow_parent"], share = _SAMPLERS[name]
        if share is None:
            share = self._read("OTEL_TRACES_SAMPLER_ARG", _share)
        found["sample"] = 1.0 if share is None else share

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


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise ValueError("must be a list as name=value,name=value")  # its text may be secret
        pairs[unquote(name.strip())] = unquote(value.strip())
    return pairs


def _checked_headers(pairs: dict[str, str]) -> dict[str, str]:
    _HEADERS.validate_python(pairs)
    return pairs


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError("must be a number from 0 to 1")
    return share


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError("must be a whole number above 0")
    return int(text)


def _seconds(key: str) -> Callable[[str], float]:
    return lambda text: min(_positive(text), _MOST_MS[key]) / 1000


def _compression(text: str) -> str:
    if text not in ("none", "gzip"):
        raise ValueError("known are none and gzip")
    return text


_collector = TypeAdapter[str](CollectorUrl).validate_python
_HEADERS: Final = TypeAdapter[dict[str, SecretStr]](dict[ExportHeader, HeaderValue])
_PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    "timeout": _seconds("timeout"),
    "interval": _seconds("interval"),
    "compression": _compression,
    "ca_file": str,
    "certificate": str,
    "key": str,
    "queue": _positive,
}
