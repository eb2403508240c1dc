"""Records as a test wants them: the constructors take only what every exchange begins with."""

from typing import TypeVar

from proxy.exchange import Attempt, Exchange

Record = TypeVar("Record", Attempt, Exchange)


def exchange(**fields: object) -> Exchange:
    x = Exchange(0.0, 0.0, "GET", "/", "192.0.2.1")
    return _with(x, fields)


def attempt(endpoint: str = "http://a:1", started: float = 10.0, **fields: object) -> Attempt:
    return _with(Attempt(endpoint, started), fields)


def _with(record: Record, fields: dict[str, object]) -> Record:
    """`record` with `fields`; raises AttributeError for one that no record has."""
    for name, value in fields.items():
        getattr(record, name)
        setattr(record, name, value)
    return record
