"""What makes two errors the same: code, route, upstream, endpoint, and the class of the detail."""

import hashlib
import re
from dataclasses import astuple, dataclass
from functools import lru_cache

from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_VARYING = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?", re.IGNORECASE)
_CHARS = 120


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What errors of one fingerprint have in common; empty: not known, or there was none."""

    code: str
    route: str = ""
    upstream: str = ""
    endpoint: str = ""
    detail_class: str = ""

    @property
    def fingerprint(self) -> str:
        """Twelve characters that are the same for the same kind, today and after a restart."""
        text = "\0".join(astuple(self))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def kind_of(x: Exchange) -> ErrorKind:
    outcome = x.outcome or INTERNAL_ERROR
    endpoint = x.attempts[-1].endpoint if x.attempts else ""
    if x.fault is not None:
        detail = x.fault.place
    elif x.detail:
        detail = detail_class(x.detail)
    else:
        detail = f"status {x.upstream_status}" if x.upstream_status else ""
    return ErrorKind(outcome.code, x.route, x.upstream, endpoint, detail)


@lru_cache(maxsize=1024)
def detail_class(detail: str) -> str:
    """A detail without what differs from case to case: numbers and quoted values."""
    plain = _QUOTED.sub("…", detail)
    return _VARYING.sub("#", plain)[:_CHARS]
