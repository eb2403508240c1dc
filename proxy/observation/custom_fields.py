"""The team's own fields of the record, taken from each request as `observe.fields` says.

Values are cut, and hashed where asked for: with a key, because a plain hash of what can be guessed,
such as an address, gives it away. Never a metric label.
What a header or parameter with a secret's name holds is recorded as a hash or not at all.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import unquote_plus

from proxy.http.request_head import RequestHead
from proxy.matching.paths import compiled, normalise, path_of
from proxy.observation.redaction import REDACTED, is_secret_name

MAX_VALUE = 1024
"""Characters of a value that are kept. More than are recorded: redaction must see secrets whole."""

MOST_PARAMETERS = 256
"""Parameters of a query that are looked at."""

Take = Callable[[RequestHead], str | None]


class FieldSource(Protocol):
    """Where the value of a field is taken from: exactly one of header, path and query."""

    @property
    def header(self) -> str | None: ...

    @property
    def path(self) -> str | None: ...

    @property
    def query(self) -> str | None: ...

    @property
    def hash(self) -> bool: ...


def extractor(
    fields: Mapping[str, FieldSource], key: bytes = b""
) -> Callable[[RequestHead], dict[str, str]]:
    """A function that takes all of `fields` from a request; absent ones are left out.

    `key` is that of the hashes.
    """
    takers = [(name, _taker(field), _keeper(field, key)) for name, field in fields.items()]

    def extract(asked: RequestHead) -> dict[str, str]:
        return {name: keep(value) for name, take, keep in takers if (value := take(asked))}

    return extract


def _keeper(field: FieldSource, key: bytes) -> Callable[[str], str]:
    """What is kept of a value of `field`."""
    if field.hash:
        return lambda value: _digest(key, value)
    if is_secret_name(field.header or field.query or ""):
        return lambda _: REDACTED
    return lambda value: value[:MAX_VALUE]


def _taker(field: FieldSource) -> Take:
    if field.header is not None:
        return _from_header(field.header.lower().encode())
    if field.path is not None:
        return _from_path(field.path)
    return _from_query(field.query or "")


def _from_header(key: bytes) -> Take:
    def take(asked: RequestHead) -> str | None:
        value = asked.fields.get(key)
        return None if value is None else value.decode("utf-8", "replace")

    return take


def _from_path(path: str) -> Take:
    pattern = compiled(path)

    def take(asked: RequestHead) -> str | None:
        match = pattern.fullmatch(normalise(path_of(asked.target)))
        return match[1] if match else None

    return take


def _from_query(name: str) -> Take:
    def take(asked: RequestHead) -> str | None:
        query = asked.target.partition("?")[2]
        for pair in query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
            given, _, value = pair.partition("=")
            if value and (given == name or unquote_plus(given) == name):
                return unquote_plus(value)
        return None

    return take


def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode("utf-8", "surrogateescape"), "sha256").hex()[:16]
