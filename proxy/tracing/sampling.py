"""Decides which exchanges become spans, and whose trace they belong to.

What the parent says holds, and a share of the traces that begin here. Where failures or slow ones
are always exported, that shows at the end only: their upstreams were told "not sampled" before.
"""

from binascii import unhexlify

from proxy.diagnostics.slow import is_slow
from proxy.exchange import Exchange
from proxy.http.identity import random_bytes, trace_parent
from proxy.tracing.b3 import read_b3
from proxy.tracing.record import SpanRecord
from proxy.tracing.span_status import is_failure
from proxy.tracing.trace_flags import flags_of

_LOW_BITS = 1 << 64
"""The share is taken from the lower 64 bits of the trace ID, as the SDKs of OpenTelemetry do: who
asks for the same share takes the same traces."""


class Sampler:
    """`share` of the traces that begin here; of all, where parents are not followed."""

    def __init__(
        self,
        share: float = 1.0,
        *,
        follow_parent: bool = True,
        b3: bool = False,
        failures: bool = False,
        slow: float | None = None,
    ) -> None:
        self._share, self._bound = share, round(share * _LOW_BITS)
        self._follows, self._b3 = follow_parent, b3
        self._failures, self._slow = failures, slow
        self._decides_late = failures or slow is not None

    def begin(self, x: Exchange, fields: dict[bytes, bytes], protocol: str) -> SpanRecord | None:
        """The span of an exchange that begins; None: it has none, and trace headers just pass.

        Where it is certain to be exported the record names its IDs, else the client's own.
        """
        parent, flags = b"", ""
        if b"traceparent" in fields:
            parent, flags = trace_parent(fields[b"traceparent"])
        decided: bool | None = None
        is_w3c = bool(parent)
        if is_w3c:
            decided = bool(int(flags, 16) & 1)
        elif self._b3 and (b3 := read_b3(fields)) is not None:
            parent, decided = unhexlify(b3.trace_id + b3.span_id), b3.sampled
            flags = "01" if decided else "00"
        if parent:
            x.trace(parent)
        elif not self._share and not decided and not self._decides_late:
            return None  # no trace begins here: the upstream may begin one
        ids = parent[:16] + random_bytes(16) if parent else random_bytes(32)
        sampled = self._is_sampled(ids, decided)
        if parent and not sampled and not self._decides_late:
            return None  # the client's span stays the parent: there will be none of ours
        if sampled:
            x.trace(ids)
        told = flags_of(_with_bit(flags, sampled))
        return SpanRecord(ids, parent[16:], told, protocol, sampled=sampled, keeps_state=is_w3c)

    def take(self, slow: float) -> None:
        """So many seconds are slow from now on, where slow ones are always exported."""
        if self._slow is not None:
            self._slow = slow

    def end(self, x: Exchange, span: SpanRecord) -> None:
        """Take one that was not sampled after all, where it failed or was slow."""
        if (self._failures and is_failure(x)) or (
            self._slow is not None and is_slow(x, self._slow)
        ):
            span.sampled = True
            x.trace(span.ids)

    def _is_sampled(self, ids: bytes, decided: bool | None) -> bool:
        if decided is not None and self._follows:
            return decided
        if self._share >= 1.0:
            return True
        return int.from_bytes(ids[8:16], "big") < self._bound


def _with_bit(flags: str, sampled: bool) -> str:
    """The flags byte as it came, but for the decision, where that is ours."""
    if not flags:
        return "01" if sampled else "00"
    byte = int(flags, 16)
    return flags if bool(byte & 1) == sampled else f"{byte ^ 1:02x}"
