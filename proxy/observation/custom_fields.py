"""The team's own fields of the record, taken from each request as `observe.fields` says.

Values are cut, and hashed where asked for: with a key, because a plain hash of what can be guessed,
such as an address, gives it away. Never a metric label.
What a header or parameter with a secret's name holds is recorded as a hash or not at all.
"""

import hmac
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import unquote_plus

from proxy.http.request_head import RequestHead
from proxy.matching.paths import compiled, normalise, path_of
from proxy.observation.redaction import REDACTED, is_secret_name

MAX_VALUE = 1024
"""Characters of a value that are kept. More than are recorded: redaction must see secrets whole."""

MOST_PARAMETERS = 256
"""Parameters of a query that are looked at."""


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


class CustomFields:
    """Those of `fields`; `key` is that of the hashes."""

    def __init__(self, fields: Mapping[str, FieldSource], key: bytes = b"") -> None:
        made = [_Field(name, field, key) for name, field in fields.items()]
        self._fields = [(field.plain_header, field) for field in made]

    def of(self, asked: RequestHead) -> dict[str, str]:
        """All that a request has; absent ones are left out."""
        found: dict[str, str] = {}
        for header, field in self._fields:
            if header:
                sent = asked.fields.get(header)
                value = sent.decode("utf-8", "replace")[:MAX_VALUE] if sent else None
            else:
                value = field.kept(asked)
            if value:
                found[field.name] = value
        return found


class _Field:
    """One of them: where it stands in a request, and what is kept of its value."""

    def __init__(self, name: str, field: FieldSource, key: bytes) -> None:
        self.name = name
        self._key = key
        self._header = field.header.lower().encode() if field.header is not None else None
        self._path = compiled(field.path) if field.path is not None else None
        self._parameter = field.query or ""
        self._is_hashed = field.hash
        self._is_secret = is_secret_name(field.header or field.query or "")
        is_plain = not self._is_hashed and not self._is_secret
        self.plain_header = self._header if is_plain else None
        """The header whose value is kept as it is; None where it is not all that simple."""

    def kept(self, asked: RequestHead) -> str | None:
        """What is kept of a request's value; None, or nothing, where it has none."""
        value = self._value(asked)
        if not value:
            return None
        if self._is_hashed:
            return _digest(self._key, value)
        return REDACTED if self._is_secret else value[:MAX_VALUE]

    def _value(self, asked: RequestHead) -> str | None:
        if self._header is not None:
            sent = asked.fields.get(self._header)
            return None if sent is None else sent.decode("utf-8", "replace")
        if self._path is not None:
            match = self._path.fullmatch(normalise(path_of(asked.target)))
            return match[1] if match else None
        return _parameter(asked.target, self._parameter)


def _parameter(target: str, name: str) -> str | None:
    query = target.partition("?")[2]
    for pair in query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        given, _, value = pair.partition("=")
        if value and (given == name or unquote_plus(given) == name):
            return unquote_plus(value)
    return None


def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode("utf-8", "surrogateescape"), "sha256").hex()[:16]
