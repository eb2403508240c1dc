"""Sessions of browsers, which cannot send a bearer token when somebody follows a link.

A session is a cookie that holds its end and an HMAC of it under the admin token: nothing is kept
here, a new token ends every session, and the token itself never comes into the browser's store.
"""

import hmac
from dataclasses import dataclass
from typing import Final

COOKIE: Final = "sidelight_session"
LASTS: Final = 12 * 3600
"""Seconds: a shift."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """`token` None: there are none, because no token is set."""

    token: str | None = None

    def begin(self, given: str, wall: float) -> str | None:
        """The cookie's value for somebody who gave the right token, else None."""
        if self.token is None or not _same(given.strip(), self.token):
            return None
        return self._signed(str(int(wall) + LASTS))

    def is_good(self, cookie: str, wall: float) -> bool:
        """Whether this cookie was made by us, under this token, and has not ended."""
        end, _, _ = cookie.partition(".")
        if self.token is None or not (end.isascii() and end.isdigit() and len(end) < 16):
            return False
        return _same(cookie, self._signed(end)) and wall < int(end)

    def _signed(self, end: str) -> str:
        key = (self.token or "").encode()
        return f"{end}.{hmac.digest(key, f'sidelight session {end}'.encode(), 'sha256').hex()}"


def _same(given: str, right: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())
