"""The URL of a PostgreSQL store: whether it can be one, and what of it may be shown.

libpq understands it; what is checked here is what `sidelight check` can know without connecting.
"""

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SCHEMES: Final = ("postgresql", "postgres")
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PARAMETERS: Final = frozenset({
    "application_name", "channel_binding", "client_encoding", "dbname", "gssencmode", "host",
    "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
    "krbsrvname", "load_balance_hosts", "options", "passfile", "password", "port", "require_auth",
    "service", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslmode", "sslpassword", "sslrootcert",
    "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version", "target_session_attrs",
    "tcp_user_timeout", "user",
})  # fmt: skip
"""Of libpq, apart from those that Sidelight sets: `connect_timeout` and what replication has."""

_SECRET: Final = ("password", "sslpassword")
_ESCAPES: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def checked(url: str) -> str:
    """`url` itself. Raises ValueError; the message quotes nothing that may be secret."""
    parts = _parts(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("must begin with postgresql://")
    if _ESCAPES.search(url) or any(c.isspace() for c in url):
        raise ValueError("has a % or a space that is no escape; write %25 or %20")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(given.keys() - PARAMETERS):
        raise ValueError(f"has a parameter that libpq does not know: {_name(unknown[0])}")
    if (mode := given.get("sslmode")) is not None and mode not in SSL_MODES:
        raise ValueError(f"has an sslmode that is none of {', '.join(SSL_MODES)}")
    if not (_hosts(parts) or given.keys() & {"host", "hostaddr", "service"}):
        raise ValueError("names no host; write postgresql://user@host:5432/database")
    return url


def address_of(url: str) -> str:
    """Hosts and database, without a user, a password or a parameter."""
    parts = _parts(url)
    given = dict(parse_qsl(parts.query))
    host = _hosts(parts) or given.get("host") or given.get("hostaddr") or ""
    return f"postgresql://{host}/{parts.path.lstrip('/') or given.get('dbname', '')}"


def secrets_of(url: str) -> tuple[str, ...]:
    """What must not appear in any message, as it stands and as it is meant."""
    parts = _parts(url)
    _, _, password = parts.netloc.rpartition("@")[0].partition(":")
    given = [value for key, value in parse_qsl(parts.query) if key in _SECRET]
    found = {password, unquote(password), *given}
    return tuple(sorted((one for one in found if one), key=len, reverse=True))


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError("is not a URL; write postgresql://user@host:5432/database") from None


def _hosts(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _name(parameter: str) -> str:
    """A name that is one; else it may be the rest of a secret."""
    return parameter if re.fullmatch(r"[a-z_]{1,32}", parameter) else "not a name at all"
