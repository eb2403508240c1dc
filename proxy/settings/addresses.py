"""Checks the addresses to listen on before any port is opened.

The only check that asks the system: a name is looked up where Sidelight will run.
"""

import re
import socket
from collections.abc import Iterator
from ipaddress import ip_address

from proxy.settings.faults import SettingsFault
from proxy.settings.tree import Keys, place_of

_WITH_PORT = re.compile(r"(?:[a-z]+://)?(\[[0-9A-Fa-f:.]+\]|[^:/\[\]]+):([0-9]{1,5})/?")
_EXAMPLES = "write an address such as 127.0.0.1, 0.0.0.0 for all of IPv4, or :: for all"


def address_faults(tree: Keys) -> Iterator[SettingsFault]:
    """What is wrong with the hosts of the traffic and the admin port."""
    for name in ("listen", "admin"):
        section = tree.section(name)
        host = section.text("host") if section else None
        if host and (refusal := _refusal(host)):
            yield SettingsFault(place_of(tree, (name, "host")), (name, "host"), refusal)


def _refusal(host: str) -> str | None:
    """Why nobody can listen on `host`; None where somebody can."""
    if _is_address(host):
        return None
    if found := _WITH_PORT.fullmatch(host):
        plain = found[1].strip("[]")
        return f'"{host}" has a port in it; write host: "{plain}" and port: {found[2]}'
    if host.startswith("[") and _is_address(host.strip("[]")):
        return f'"{host}" must stand without brackets: "{host.strip("[]")}"'
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return (
            f'"{host}" is no address of this machine and no name that can be resolved; {_EXAMPLES}'
        )
    return None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
