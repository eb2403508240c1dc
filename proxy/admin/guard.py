"""Access rules of the admin port: a pure function from a request to a refusal, or to none.

Health and metrics are open, because probes and Prometheus come without credentials and by any
name. Everything else wants the token, or a session that was begun with it; without a token it is
open to the loopback only. What changes something is asked for by POST in JSON, which no foreign
page can send without asking first.
"""

from dataclasses import dataclass
from hmac import compare_digest
from ipaddress import ip_address
from typing import Final

from proxy.admin.session import Sessions
from proxy.http.authority import host_name

OPEN_PATHS: Final = frozenset(("/livez", "/readyz", "/health", "/metrics", "/metrics.json"))
SESSION_PATH: Final = "/session"
ASSETS: Final = "/assets/"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Ask:
    """What is judged of a request."""

    path: str
    host: str = ""
    """The Host header; empty where there is none."""
    peer: str = ""
    """The address that it came from, not what a header says."""
    authorization: str = ""
    cookie: str = ""
    """The session's; empty where there is none."""
    method: str = "GET"
    content_type: str = ""
    """Without parameters, in lower case."""
    wall: float = 0.0
    """Now, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class AdminRefusal:
    """`message` says what to do about it."""

    status: int
    code: str
    message: str


@dataclass(slots=True)
class Guard:
    """`host` is where the admin port listens; `token` None means that none is set.

    Another token may be assigned at any time: sessions that were begun under the old one end.
    """

    host: str = "127.0.0.1"
    token: str | None = None

    def refuse(self, ask: Ask) -> AdminRefusal | None:
        """None: it may be answered."""
        if ask.path in OPEN_PATHS:
            return None
        if not self._knows(ask.host):
            return HOST_REFUSED
        if ask.path == SESSION_PATH or ask.path.startswith(ASSETS):
            return None
        if self.token is None:
            refusal = None if is_loopback(ask.peer) else TOKEN_MISSING
        else:
            refusal = None if self._admits(ask, self.token) else TOKEN_WRONG
        return refusal or _form_refused(ask)

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.token)

    def _admits(self, ask: Ask, token: str) -> bool:
        return _carries(ask.authorization, token) or self.sessions.is_good(ask.cookie, ask.wall)

    def _knows(self, header: str) -> bool:
        """Whether the name cannot have been rebound by somebody's DNS: ours, loopback, or an IP."""
        name = host_name(header.strip()).removeprefix("[").removesuffix("]")
        return name in ("localhost", self.host.lower()) or _is_address(name)


HOST_REFUSED: Final = AdminRefusal(
    403, "host_not_allowed", "Ask by IP address, by localhost or by the admin.host of the settings."
)
TOKEN_MISSING: Final = AdminRefusal(
    403,
    "token_not_set",
    "Without a token this is open on the loopback only. Set SIDELIGHT_ADMIN__TOKEN to a secret of "
    "at least 16 characters and send it as Authorization: Bearer.",
)
TOKEN_WRONG: Final = AdminRefusal(
    401, "token_required", "Send the admin token as Authorization: Bearer <token>."
)

JSON_WANTED: Final = AdminRefusal(
    415, "json_required", "Changes are asked for by POST with Content-Type: application/json."
)


def _form_refused(ask: Ask) -> AdminRefusal | None:
    """A foreign page can send us forms, and a browser adds what it knows; JSON it cannot."""
    return JSON_WANTED if ask.method == "POST" and ask.content_type != JSON else None


def is_loopback(address: str) -> bool:
    """Whether `address` is this machine's own; an IPv4 address mapped into IPv6 counts as IPv4."""
    if not _is_address(address):
        return False
    ip = ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _carries(authorization: str, token: str) -> bool:
    """Compared in constant time."""
    scheme, _, given = authorization.partition(" ")
    is_right = compare_digest(given.strip().encode(errors="replace"), token.encode())
    return is_right and scheme.lower() == "bearer"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
