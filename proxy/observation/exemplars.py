"""OpenMetrics exemplars: the ID of an exchange that was counted. Redacts, counts nothing."""

from typing import Final

from prometheus_client.samples import Exemplar as OpenMetricsExemplar

from proxy.observation.redaction import redact
from proxy.observation.series import Exemplar

CHARS: Final = 128
"""Of all names and values together (OpenMetrics 1.0, "Exemplars")."""


def exemplar_of(exemplar: Exemplar) -> OpenMetricsExemplar | None:
    """None without a request ID and where it is too long; a trace ID must fit beside it."""
    request_id, span_context, value, at = exemplar
    if not request_id:
        return None
    labels = {"request_id": redact(request_id)}
    trace_id = span_context[:16].hex()
    if trace_id and _size(labels) + _size({"trace_id": trace_id}) <= CHARS:
        labels["trace_id"] = trace_id
    return OpenMetricsExemplar(labels, value, at) if _size(labels) <= CHARS else None


def _size(labels: dict[str, str]) -> int:
    return sum(len(name) + len(value) for name, value in labels.items())
