"""What the text of an `OTEL_*` variable means. Nothing here knows which of them are set.

Each parser raises ValueError, whose text says what was expected and quotes nothing: it may be
secret.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from pydantic import SecretStr, TypeAdapter

from proxy.tracing.rules import CollectorUrl, ExportHeaders

_MOST_MS: Final = {"timeout": 300_000, "interval": 60_000}
_LIMITS: Final = "what clients send is cut as in the log, and nothing else can be long or many"
NOT_HONOURED: Final = {
    "OTEL_BSP_EXPORT_TIMEOUT": "OTEL_EXPORTER_OTLP_TIMEOUT holds for a batch",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "a batch is sent from 1024 spans on",
    "OTEL_ATTRIBUTE_COUNT_LIMIT": _LIMITS,
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": _LIMITS,
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": _LIMITS,
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": _LIMITS,
    "OTEL_SPAN_EVENT_COUNT_LIMIT": _LIMITS,
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": _LIMITS,
}
"""Variables of spans that do not hold here: why."""


def parse_attributes(text: str) -> dict[str, str]:
    """One that is not encoded as it must be spoils all of them (OpenTelemetry's Resource SDK)."""
    if _HALF_ENCODED.search(text):
        raise ValueError("must have each % of a value as %25")
    return _pairs(text, errors="strict")


def parse_headers(text: str) -> dict[str, str]:
    pairs = _pairs(text)
    _HEADERS.validate_python(pairs)
    return pairs


def _pairs(text: str, errors: str = "replace") -> dict[str, str]:
    """A list as `name=value,name=value`, URL-encoded."""
    pairs = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise ValueError("must be a list as name=value,name=value")
        try:
            pairs[unquote(name.strip())] = unquote(value.strip(), errors=errors)
        except UnicodeDecodeError:
            raise ValueError("must be UTF-8 when it is decoded") from None
    return pairs


def parse_share(text: str) -> float:
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


def _timeout(text: str) -> float:
    """0 is without an end (OpenTelemetry); the longest that there is stands for that."""
    return _seconds("timeout")(text if text.strip("0") else str(_MOST_MS["timeout"]))


def parse_flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def parse_methods(text: str) -> frozenset[str]:
    methods = frozenset(method.strip() for method in text.split(","))
    if not all(map(_TOKEN.fullmatch, methods)):
        raise ValueError("must be a list of methods as GET,POST")
    return methods


def _compression(text: str) -> str:
    if text.lower() not in ("none", "gzip"):
        raise ValueError("known are none and gzip")
    return text.lower()


_HALF_ENCODED: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
parse_collector = TypeAdapter[str](CollectorUrl).validate_python
_HEADERS: Final = TypeAdapter[dict[str, SecretStr]](ExportHeaders)
PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    "timeout": _timeout,
    "interval": _seconds("interval"),
    "compression": _compression,
    "ca_file": str,
    "certificate": str,
    "key": str,
    "queue": _positive,
}
