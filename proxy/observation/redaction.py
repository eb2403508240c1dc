"""Takes secrets out of whatever is about to be recorded. Knows values and names, no destinations.

Three rules: a value whose name speaks of a secret, a token shape wherever it stands, and the
userinfo of a URL. Whatever is percent-encoded is judged decoded as well, and where that shows a
secret the decoded text is recorded, redacted, in place of the raw one.

The price of a rule that nobody has to configure: it would rather hide too much (`monkey=1`).
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

REDACTED: Final = "[redacted]"

METHOD_CHARS: Final = 32
PATH_CHARS: Final = 2048
USER_AGENT_CHARS: Final = 256
FIELD_CHARS: Final = 200

_SECRET_NAME = re.compile(
    r"token|key|secret|passw|passphrase|pwd|signature|session|authoriz|oauth|cookie|credential|jwt"
    r"|(?:^|[^a-z])(?:auth|sig|sid|pass|otp)(?:$|[^a-z])",
    re.IGNORECASE,
)
_SHAPE = re.compile(
    r"eyJ[\w-]{6,}(?:\.[\w-]*)*"
    r"|(?<![A-Za-z0-9])(?i:sk)[-_][\w-]{6,}"
    r"|(?i:bearer)[\s+:=]+[^\s&,\"']+"
    r"|(?i:basic)[\s+:=]+[A-Za-z0-9+/=_-]{6,}"
    r"|gh[a-z]_\w{16,}|github_pat_\w{16,}|xox[a-z]-[\w-]{10,}|AKIA[A-Z0-9]{12,}|AIza[\w-]{20,}"
)
_SHAPE_HINTS = ("eyj", "sk-", "sk_", "bearer", "basic", "xox", "akia", "aiza")
_USERINFO = re.compile(r"//[^/?#\s]*@")
_CHUNK = re.compile(r"[^&\s]+")
_BEFORE_NAME = "?;#,/"
_ROUNDS = 4


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a header, parameter or key of this name is taken to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def is_clean(text: str) -> bool:
    """Whether `redact` would only cut `text`, and every text that is a part of it."""
    return text.isprintable() and not _is_suspect(text)


def redact(text: str, limit: int = FIELD_CHARS) -> str:
    """`text` as it may be recorded: without secrets, printable, at most `limit` characters.

    It is cut last, so that no secret is halved out of its shape.
    """
    if _is_suspect(text):
        text = _redact_encoded(_redact_plain(text))
    if not text.isprintable():
        text = _escape(text)
    return text[:limit]


def redact_target(target: str) -> str:
    """A request target, path and query, as it may be recorded."""
    return redact(target, PATH_CHARS)


@lru_cache(maxsize=256)
def redact_agent(user_agent: str) -> str:
    """A user agent as it may be recorded; they repeat, and are long."""
    return redact(user_agent, USER_AGENT_CHARS)


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


def _is_suspect(text: str) -> bool:
    """Whether a rule might apply: a few substring searches, since most texts are clean."""
    low = text.lower()
    if "%" in low or "=" in low or "//" in low or "gh" in low:
        return True
    for hint in _SHAPE_HINTS:  # noqa: SIM110  # a generator would cost as much as the searches
        if hint in low:
            return True
    return False


def _redact_plain(text: str) -> str:
    text = _USERINFO.sub(f"//{REDACTED}@", text)
    text = _SHAPE.sub(REDACTED, text)
    return _redact_pairs(text) if "=" in text or "%" in text else text


def _redact_pairs(text: str) -> str:
    return _CHUNK.sub(lambda chunk: _redact_chunk(chunk[0]), text)


def _redact_chunk(chunk: str) -> str:
    """Judged decoded as well, and as one: a `%26` belongs to the value and does not end it."""
    clean = _redact_value(chunk)
    if clean != chunk:
        return clean
    for _ in range(_ROUNDS):
        before, decoded = chunk, unquote(chunk)
        if decoded == before:
            break
        chunk = _redact_value(decoded)
        if chunk != decoded:
            return chunk
    return clean


def _redact_value(chunk: str) -> str:
    """Hide what follows the first `name=` whose name speaks of a secret, to the end of the chunk.

    Written with `find` because a pattern for this is quadratic on hostile input.
    """
    start = 0
    while (at := chunk.find("=", start)) >= 0:
        before = chunk[start:at]
        name = before[max(map(before.rfind, _BEFORE_NAME)) + 1 :]
        if _SECRET_NAME.search(name):
            return chunk[: at + 1] + REDACTED
        start = at + 1
    return chunk


def _redact_encoded(text: str) -> str:
    """What percent-encoding hides, to a depth nobody needs; deeper is not recorded at all."""
    decoded = text
    for _ in range(_ROUNDS):
        before, decoded = decoded, unquote(decoded)
        if decoded == before:
            return text
        clean = _redact_plain(decoded)
        if clean != decoded:
            text = decoded = clean
    return REDACTED


def _escape(text: str) -> str:
    """Unprintable characters spelt out: line ends of any alphabet, escapes, lone surrogates."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
