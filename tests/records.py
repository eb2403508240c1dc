"""Records as a test wants them: the constructors take only what every exchange begins with."""

from typing import TypeVar

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.fallback.record import FallbackRecord
from proxy.outcome import Outcome

Record = TypeVar("Record", Attempt, Exchange)


def exchange(**fields: object) -> Exchange:
    x = Exchange(0.0, 0.0, "GET", "/", "192.0.2.1")
    return _with(x, fields)


def attempt(endpoint: str = "http://a:1", started: float = 10.0, **fields: object) -> Attempt:
    return _with(Attempt(endpoint, started), fields)


def fallen_back(
    given: str = "static",
    upstream: str = "",
    tried: Attempt | None = None,
    outcome: Outcome | None = None,
) -> FallbackRecord:
    record = FallbackRecord()
    record.given, record.upstream, record.attempt = given, upstream, tried
    record.outcome = outcome
    return record


WAITS = {"queued": "queue", "upstream_wait": "upstream", "client_wait": "client", "paused": "pause"}
"""Where the record counts a wait."""


def _with(record: Record, fields: dict[str, object]) -> Record:
    """`record` with `fields`; raises AttributeError for one that no record has.

    `trace_id` and `span_id` are hex digits, as they are read.
    """
    if isinstance(record, Exchange) and "trace_id" in fields:
        record.trace(bytes.fromhex(f"{fields.pop('trace_id')}{fields.pop('span_id', '')}"))
    for name, value in fields.items():
        if name in WAITS and isinstance(record, Exchange):
            setattr(record.spent, WAITS[name], value)
        else:
            getattr(record, name)
            setattr(record, name, value)
    return record
