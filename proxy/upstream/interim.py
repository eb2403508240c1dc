"""Which interim (1xx) heads are borne before the final one, and which of them pass."""

from typing import Final

from proxy.http.framing import ResponseHead, refused_switch

MAX_INTERIM: Final = 64
"""Interim (1xx) responses borne before the final one."""

_UNASKED: Final = "101 without a request to upgrade"


class InterimHeads:
    """Counts those of one response after the other, each begun by `begin`."""

    __slots__ = ("_count", "_may_switch", "_seen")

    def begin(self, *, may_switch: bool) -> None:
        """Another response is awaited; `may_switch`: a 101 was asked for."""
        self._may_switch = may_switch
        self._count = 0
        self._seen = 0

    def begin_anew(self) -> None:
        """The same heads are read a second time."""
        self._seen = self._count
        self._count = 0

    def refusal(self, head: ResponseHead) -> str | None:
        """Counts it; why it cannot be borne, None where it can."""
        if not head.http_version.startswith("1."):
            return f"HTTP version {head.http_version}"
        if head.status == 101:
            return refused_switch(head.http_version, head.headers) if self._may_switch else _UNASKED
        self._count += 1
        return f"more than {MAX_INTERIM} interim responses" if self._count > MAX_INTERIM else None

    def is_passed_on(self, head: ResponseHead) -> bool:
        """Whether the client is to have it: a 100 is only counted, and none is told twice."""
        return head.status != 100 and self._count > self._seen
