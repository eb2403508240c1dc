"""The Host header that an upstream is sent, as it is written in the settings."""

import re
from typing import Annotated

from pydantic import AfterValidator

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?")


def authority(host: str) -> str:
    """`host` as it was, if it can stand in a Host header. Raises ValueError otherwise."""
    if not _AUTHORITY.fullmatch(host):
        raise ValueError(f"{host!r} is not a Host header; write example.com or example.com:8000")
    return host


HostHeader = Annotated[str, AfterValidator(authority)]
