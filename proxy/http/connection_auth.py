"""Authentication that a connection remembers: NTLM and Negotiate (RFC 4559, section 6).

What comes later on that connection counts as its user's, so it must never be shared.
"""

from typing import Final

_SCHEMES: Final = frozenset({b"ntlm", b"negotiate"})


def stays_with_connection(value: bytes) -> bool:
    """Whether an `Authorization` or `WWW-Authenticate` names such a scheme."""
    return any(part.strip().lower().split(b" ", 1)[0] in _SCHEMES for part in value.split(b","))
