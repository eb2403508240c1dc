"""The team's own fields of the record, taken from each request as `observe.fields` says.

Values are cut, and hashed where asked for; never a metric label.
"""

import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from proxy.inbound import Inbound
from proxy.routing import compiled, normalise, path_of
from proxy.settings.sections import ObservedField

MAX_VALUE = 128
"""Characters of a value that are kept."""

Take = Callable[[Inbound], str | None]


def extractor(fields: Mapping[str, ObservedField]) -> Callable[[Inbound], dict[str, str]]:
    """A function that takes all of `fields` from a request; absent ones are left out."""
    takers = [(name, _taker(field), field.hash) for name, field in fields.items()]

    def extract(asked: Inbound) -> dict[str, str]:
        found = {}
        for name, take, hashed in takers:
            value = take(asked)
            if value:
                found[name] = _digest(value) if hashed else value[:MAX_VALUE]
        return found

    return extract


def _taker(field: ObservedField) -> Take:
    if field.header is not None:
        return _from_header(field.header.lower().encode())
    if field.path is not None:
        return _from_path(field.path)
    return _from_query(field.query or "")


def _from_header(key: bytes) -> Take:
    def take(asked: Inbound) -> str | None:
        value = asked.fields.get(key)
        return None if value is None else value.decode("utf-8", "replace")

    return take


def _from_path(path: str) -> Take:
    pattern = compiled(path)

    def take(asked: Inbound) -> str | None:
        match = pattern.fullmatch(normalise(path_of(asked.target)))
        return match[1] if match else None

    return take


def _from_query(name: str) -> Take:
    def take(asked: Inbound) -> str | None:
        query = asked.target.partition("?")[2].partition("#")[0]
        values = parse_qs(query, max_num_fields=None).get(name)
        return values[0] if values else None

    return take


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:16]
