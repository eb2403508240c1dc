"""The team's own fields of the record, taken from each request as `observe.fields` says.

Values are cut, and hashed where asked for; never a metric label.
What a header or parameter with a secret's name holds is recorded as a hash or not at all.
"""

import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from proxy.inbound import Inbound
from proxy.observation.redaction import REDACTED, is_secret_name
from proxy.routing import compiled, normalise, path_of
from proxy.settings.sections import ObservedField

MAX_VALUE = 1024
"""Characters of a value that are kept. More than are recorded: redaction must see secrets whole."""

Take = Callable[[Inbound], str | None]


def extractor(fields: Mapping[str, ObservedField]) -> Callable[[Inbound], dict[str, str]]:
    """A function that takes all of `fields` from a request; absent ones are left out."""
    takers = [(name, _taker(field), _keeper(field)) for name, field in fields.items()]

    def extract(asked: Inbound) -> dict[str, str]:
        return {name: keep(value) for name, take, keep in takers if (value := take(asked))}

    return extract


def _keeper(field: ObservedField) -> Callable[[str], str]:
    """What is kept of a value of `field`."""
    if field.hash:
        return _digest
    if is_secret_name(field.header or field.query or ""):
        return lambda _: REDACTED
    return lambda value: value[:MAX_VALUE]


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
        query = asked.target.partition("?")[2]
        values = parse_qs(query, max_num_fields=None).get(name)
        return values[0] if values else None

    return take


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:16]
