"""The URL of a PostgreSQL store: whether it can be one, and what of it may be shown.

libpq understands it, and it is taken apart here as libpq does it, or a part of a password would be
taken for a host; what is checked is what `sidelight check` can know without connecting.
"""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TLS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
CHOICES: Final = {
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "load_balance_hosts": ("disable", "random"),
    "sslcertmode": ("disable", "allow", "require"),
    "sslmode": SSL_MODES,
    "sslnegotiation": ("postgres", "direct"),
    "ssl_max_protocol_version": _TLS,
    "ssl_min_protocol_version": _TLS,
    "target_session_attrs": (
        "any", "read-write", "read-only", "primary", "standby", "prefer-standby",
    ),
}  # fmt: skip
"""Parameters of libpq that have one of some values."""
PARAMETERS: Final = frozenset({
    *CHOICES, "application_name", "connect_timeout", "dbname", "gssdelegation", "gsslib", "host",
    "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
    "krbsrvname", "options", "passfile", "password", "port", "require_auth", "requirepeer",
    "service", "sslcert", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslpassword",
    "sslrootcert", "sslsni", "tcp_user_timeout", "user",
})  # fmt: skip
OWN: Final = frozenset({
    "client_encoding", "fallback_application_name", "max_protocol_version",
    "min_protocol_version", "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope",
    "replication", "scram_client_key", "scram_server_key", "sslkeylogfile",
})  # fmt: skip
"""Of libpq as well, but set by Sidelight, or of no use to it."""

_SECRET: Final = ("password", "sslpassword")
_ESCAPES: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_FORM: Final = re.compile(
    r"(?P<scheme>[^:/]*)://"
    r"(?:[^:@/]*(?::(?P<password>[^@/]*))?@)?"
    r"(?P<hosts>[^/?]*)(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
"""An @ before the first / ends user and password, whatever stands between."""
_HOST: Final = re.compile(r"(?:\[[^\[\]@,]+\]|[^\[\]@:,]*)(?::(?P<port>[0-9]{0,5}))?")
_PORTS: Final = range(1, 65536)
_EXPECTED: Final = "write postgresql://user@host:5432/database"


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    password: str
    hosts: str
    database: str
    given: tuple[tuple[str, str], ...]
    """Parameters; their values as they stand."""

    @classmethod
    def of(cls, url: str) -> Self | None:
        found = _FORM.fullmatch(url)
        if found is None:
            return None
        scheme, password, hosts, database, query = (part or "" for part in found.groups())
        pairs = (each.partition("=") for each in query.split("&") if each)
        given = tuple((unquote(name), value) for name, _, value in pairs)
        return cls(scheme, password, hosts, unquote(database), given)

    @property
    def parameters(self) -> dict[str, str]:
        """Of two of one name libpq takes the last."""
        return {name: unquote(value) for name, value in self.given}


def checked(url: str) -> str:
    """`url` itself. Raises ValueError; the message quotes nothing that may be secret."""
    parts = _Parts.of(url)
    if parts is None or parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"must begin with postgresql://; {_EXPECTED}")
    if _ESCAPES.search(url) or any(c.isspace() for c in url):
        raise ValueError("has a % or a space that is no escape; write %25 or %20")
    if wrong := [name for name, value in parts.given if "=" in value]:
        raise ValueError(f"has an = within the value of {_name(wrong[0])}; write %3D")
    given = parts.parameters
    _check_parameters(given)
    if not (parts.hosts or given.keys() & {"host", "hostaddr", "service"}):
        raise ValueError(f"names no host; {_EXPECTED}")
    if not given.get("connect_timeout", "1").isdecimal():
        raise ValueError("has a connect_timeout that is no number of seconds")
    ports = given.get("port", "").split(",")
    if not all(map(_is_host, parts.hosts.split(","))) or not all(map(_is_port, ports)):
        raise ValueError(
            "has a host or a port that can be none; a port is from 1 to 65535, and in a user or a "
            f"password / is written %2F and @ is written %40; {_EXPECTED}"
        )
    return url


def _check_parameters(given: dict[str, str]) -> None:
    if unknown := sorted(given.keys() - PARAMETERS - OWN):
        raise ValueError(f"has a parameter that libpq does not know: {_name(unknown[0])}")
    if own := sorted(given.keys() & OWN):
        raise ValueError(f"has a parameter that is not for it to set: {own[0]}; leave it out")
    for name, values in CHOICES.items():
        if given.get(name, values[0]) not in values:
            raise ValueError(f"has {name} with a value that is none of {', '.join(values)}")


def parameters_of(url: str) -> dict[str, str]:
    """What stands behind its question mark."""
    parts = _Parts.of(url)
    return {} if parts is None else parts.parameters


def address_of(url: str) -> str:
    """Hosts and database, without a user, a password or a parameter."""
    parts = _Parts.of(url)
    if parts is None:
        return ""
    given = parts.parameters
    host = given.get("host") or parts.hosts or given.get("hostaddr") or ""
    return f"postgresql://{host}/{given.get('dbname') or parts.database}"


def secrets_of(url: str) -> tuple[str, ...]:
    """What must not appear in any message, as it stands and as it is meant."""
    parts = _Parts.of(url)
    if parts is None:
        return ()
    found = {parts.password, *(value for name, value in parts.given if name in _SECRET)}
    found |= {unquote(each) for each in found}
    return tuple(sorted((one for one in found if one), key=len, reverse=True))


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and _is_port(found["port"] or "")


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and int(text[:6]) in _PORTS)


def _name(parameter: str) -> str:
    """A name that is one; else it may be the rest of a secret."""
    return parameter if re.fullmatch(r"[a-z_]{1,32}", parameter) else "not a name at all"
