"""Sorts out what is an effect of the failures, and no cause of them."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from proxy.diagnostics.neighbours.contrast import Contrast
from proxy.diagnostics.neighbours.window import RouteWindow
from proxy.outcome import UPSTREAM_ERROR

NEW: Final = ("connection", "new")
PLAIN: Final = (("stream", "plain"),)
LOOKED_AT: Final = 256
"""The newest rows, which are looked at one by one."""
_WHILE_CONNECTING: Final = ("dns_failure", "connect_refused", "connect_timeout", "tls_failure")


def causes(window: RouteWindow, kind: str, singles: Sequence[Contrast]) -> list[Contrast]:
    """Those that may be a cause.

    Whatever fails while connecting has a new connection; and where a failure closes its connection
    the next one at that endpoint is new. So that it is new says something only where no reused one
    failed, and where reused ones of the same endpoint were good meanwhile.
    """
    if kind.startswith(UPSTREAM_ERROR.code):  # an answer is plain because it is that of an error
        singles = [each for each in singles if each.values != PLAIN]
    return [
        each
        for each in singles
        if each.values[0][0] != "connection" or _may_be_cause(window, kind, each)
    ]


def _may_be_cause(window: RouteWindow, kind: str, found: Contrast) -> bool:
    if kind in _WHILE_CONNECTING:
        return False
    if found.values != (NEW,):
        return True
    return not found.rest_alike and _are_reused_ones_good(window, kind)


def _are_reused_ones_good(window: RouteWindow, kind: str) -> bool:
    """Whether an endpoint that failed has answered on a reused connection since the first."""
    endpoint, connection = (window.fields.index(name) for name in ("endpoint", "connection"))
    first, _ = window.first_of(kind)
    failed, answered = set(), set()
    for row, had, values in islice(reversed(window.rows), LOOKED_AT):
        if row.ended < first:
            break
        if had == kind:
            failed.add(values[endpoint])
        elif not had and values[connection] == "reused":
            answered.add(values[endpoint])
    return not failed.isdisjoint(answered)
