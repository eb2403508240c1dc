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
        self._fields = [_Field(name, field, key) for name, field in fields.items()]

    def of(self, asked: RequestHead) -> dict[str, str]:
        """All that a request has; absent ones are left out."""
        found: dict[str, str] = {}
        for field in self._fields:
            if field.header is not None:
                sent = asked.fields.get(field.header)
                value = sent.decode("utf-8", "replace") if sent else None
            else:
                value = field.value(asked.target)
            if not value:
                continue
            if field.is_hidden:
                value = field.hidden(value)
            elif len(value) > MAX_VALUE:
                value = value[:MAX_VALUE]
            found[field.name] = value
        return found


class _Field:
    """One of them: where it stands in a request, and what is kept of its value."""

    def __init__(self, name: str, field: FieldSource, key: bytes) -> None:
        self.name = name
        self._key = key
        self.header = field.header.lower().encode() if field.header is not None else None
        self._path = compiled(field.path) if field.path is not None else None
        self._parameter = field.query or ""
        self._is_hashed = field.hash
        self.is_hidden = field.hash or is_secret_name(field.header or field.query or "")
        """Whether the value itself is not kept."""

    def value(self, target: str) -> str | None:
        """What stands in a target."""
        if self._path is not None:
            match = self._path.fullmatch(normalise(path_of(target)))
            return match[1] if match else None
        return _parameter(target, self._parameter)

    def hidden(self, value: str) -> str:
        """What is kept in place of a value."""
        return _digest(self._key, value) if self._is_hashed else REDACTED


def _parameter(target: str, name: str) -> str | None:
    query = target.partition("?")[2]
    for pair in query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        given, _, value = pair.partition("=")
        if value and (given == name or unquote_plus(given) == name):
            return unquote_plus(value)
    return None


def _digest(key: bytes, value: str) -> str:
    return hmac.digest(key, value.encode("utf-8", "surrogateescape"), "sha256").hex()[:16]
