"""Redacts secrets in whatever is about to be recorded.

Three rules: a value whose name speaks of a secret, a token shape wherever it stands, and the
userinfo of a URL. Whatever is percent-encoded is judged decoded as well, and where that shows a
secret the decoded text is recorded, redacted, in place of the raw one.

Clients choose how long a text is and how it is encoded, but not what it costs: a text is cut
before it is looked at, decoded a fixed number of times, and looked at in linear time.

The price of a rule that nobody has to configure: it would rather hide too much (`monkey=1`).
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from proxy.observation.secret_forms import (
    GATES,
    HINTS,
    NAMED,
    NAMED_TO_END,
    SECRET_NAME,
    SHAPE,
)

REDACTED: Final = "[redacted]"

METHOD_CHARS: Final = 32
PATH_CHARS: Final = 2048
USER_AGENT_CHARS: Final = 256
FIELD_CHARS: Final = 200

MARGIN: Final = 256
"""Characters beyond the limit that are looked at, so that the cut leaves no secret half seen."""
MOST_ENCODED: Final = 64
"""Encoded parameters of one text that are judged; further ones are not recorded."""
_ROUNDS: Final = 4

_CLEAN_CHARS: Final = 256
_MOST_CLEAN: Final = 1024
_clean: Final[dict[str, str]] = {}
"""Texts in which there was nothing to redact: paths, agents and hosts repeat, and records that
share one text take less memory. None with a secret in it is ever remembered, and of what clients
make up no more than so many, of so many characters.
"""

_USERINFO = re.compile(r"//[^/?#\s]*@")
_OPEN_USERINFO = re.compile(r"//[^/?#\s]*+\Z")
_ENCODED = re.compile(r"(?<![^&\s])[^&\s%]*+(?:%(?![0-9A-Fa-f]{2})[^&\s%]*+)*+%[^&\s]*+")
_TORN = re.compile(r"[\w%.~+-]*+\Z")


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a header, parameter or key of this name is taken to hold a secret."""
    return SECRET_NAME.search(name) is not None


def redact(text: str, limit: int = FIELD_CHARS) -> str:
    """`text` as it may be recorded: without secrets, printable, at most `limit` characters."""
    if (known := _clean.get(text)) is not None:
        return known[:limit]
    recorded = _redacted(text, limit)
    if len(text) <= _CLEAN_CHARS and recorded == text:
        if len(_clean) >= _MOST_CLEAN:
            _clean.clear()
        _clean[text] = recorded
    return recorded


def _redacted(text: str, limit: int) -> str:
    is_cut = len(text) > limit + MARGIN
    if is_cut:
        text = _cut(text, limit)
    if is_cut or _is_suspect(text) or ("%" in text and _hides_something(text)):
        text = _without_secrets(text, is_cut=is_cut)
    text = text[:limit]
    return text if text.isprintable() else _escape(text)[:limit]


def redact_target(target: str) -> str:
    """A request target, path and query, as it may be recorded."""
    return redact(target, PATH_CHARS)


def redact_named(name: str, value: str, limit: int = FIELD_CHARS) -> str:
    """The value of a header, parameter or key, as it may be recorded beside its name."""
    return REDACTED if is_secret_name(name) else redact(value, limit)


def redact_tree(value: object, name: str = "") -> object:
    """Settings as they may be shown: every text under a secret's name hidden, shapes as well."""
    if isinstance(value, dict):
        return {str(key): redact_tree(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redact_tree(inner, name) for inner in value]
    if isinstance(value, str) and value:
        return redact_named(name, value, PATH_CHARS)
    return value


def _cut(text: str, limit: int) -> str:
    """What of `text` is looked at; a word that the cut went through is left out as well.

    No shape that the cut could have ended early is then left in what is recorded.
    """
    text = text[: limit + MARGIN]
    torn = _TORN.search(text, limit)
    return text if torn is None else text[: torn.start()]


def _is_suspect(text: str) -> bool:
    """Whether a rule might apply: a few substring searches, since most texts are clean."""
    low = text.lower()
    for gate in GATES:
        if gate in low:
            for hint in GATES[gate]:
                if hint in low:
                    return True
    if "=" in low or ":" in low:
        for hint in HINTS:  # a generator would cost as much as the searches
            if hint in low:
                return True
    return ("C" in text and "AC" in text) or ("K" in text and "SK" in text)


def _hides_something(text: str) -> bool:
    """Whether a rule might apply to what percent-encoding hides, or it is too deep to say."""
    for _ in range(_ROUNDS):
        decoded = unquote(text)
        if decoded == text:
            return False
        if _is_suspect(decoded):
            return True
        text = decoded
    return unquote(text) != text


def _without_secrets(text: str, *, is_cut: bool) -> str:
    text = _plain(text, NAMED)
    if is_cut:
        text = _OPEN_USERINFO.sub(f"//{REDACTED}", text)
    if "%" not in text:
        return text
    left = MOST_ENCODED

    def judged(chunk: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        return _judged(chunk[0], is_cut=is_cut) if left >= 0 else REDACTED

    return _ENCODED.sub(judged, text)


def _plain(text: str, named: re.Pattern[str]) -> str:
    """Without the secrets that can be seen."""
    if "@" in text:
        text = _USERINFO.sub(f"//{REDACTED}@", text)
    text = SHAPE.sub(REDACTED, text)
    return named.sub(rf"\1{REDACTED}", text)


def _judged(chunk: str, *, is_cut: bool) -> str:
    """Judged decoded as well, and as one: a `%26` belongs to the value and does not end it."""
    text = chunk
    for _ in range(_ROUNDS):
        decoded = unquote(text)
        if decoded == text:
            return chunk
        text = decoded
        if is_cut or _is_suspect(decoded):
            text = _plain(decoded, NAMED_TO_END)
            if is_cut:
                text = _OPEN_USERINFO.sub(f"//{REDACTED}", text)
            if text != decoded:
                chunk = text
    return chunk if unquote(text) == text else REDACTED


def _escape(text: str) -> str:
    """Unprintable characters spelt out: line ends of any alphabet, escapes, lone surrogates."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
