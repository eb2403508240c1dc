"""Which exchanges are kept as failures are, and which of the others are stored."""

from typing import Final
from zlib import crc32

from proxy.diagnostics.slow import is_slow
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED

_ALL: Final = 1 << 32


def may_be_asked_for(x: Exchange, slow: float) -> bool:
    """Whether somebody has a reason to ask for it: a failure, a refusal, an error of the
    upstream's, a success that took more than one attempt, or that was slow."""
    return x.outcome is not COMPLETED or len(x.attempts) > 1 or is_slow(x, slow)


def in_sample(request_id: str, share: float) -> bool:
    """Whether this one of all the others is stored: the same whenever it is asked."""
    return crc32(request_id.encode("utf-8", "surrogatepass")) < share * _ALL
