"""What a stream that ended well was all the same: judged by what it carried.

Looks at what the framing passed on, and changes nothing.
"""

from proxy import outcome as o
from proxy.outcome import Outcome
from proxy.streams.framing import EventFraming
from proxy.streams.markers import end_marker
from proxy.streams.rules import EndMarkerRule
from proxy.streams.upstream_errors import MARK, error_in


class StreamVerdict:
    """Watches one stream. `is_success` says whether the answer's status is a 2xx: others are not
    judged by what they carry.

    `error` are words for the upstream's own error that has passed; None where there was none.
    """

    __slots__ = ("_framing", "_is_strict", "_marker", "error", "is_success")

    def __init__(self, framing: EventFraming, rule: EndMarkerRule) -> None:
        self._framing = framing
        self._marker = end_marker(rule, framing)
        self._is_strict = rule.mode == "strict"
        self.is_success = True
        self.error: str | None = None

    def look(self) -> None:
        """Look at what the framing passed on last."""
        whole = self._framing.whole
        # `in` would make, and hide, an error because the mark is no number: three times the price
        if whole.find(MARK) >= 0 and self.error is None and self.is_success:
            self.error = error_in(self._framing)
        if self._marker is not None:
            self._marker.see(whole)

    @property
    def end_marker(self) -> bool | None:
        """Whether it has passed; None where none is looked for."""
        return None if self._marker is None else self._marker.is_carried

    @property
    def lacks_marker(self) -> bool:
        """Whether a stream that ends here has been cut off: a marker is required, and is missing.
        One that ended in an error has none to carry."""
        is_required = self._is_strict and self.is_success and self.error is None
        return is_required and self._marker is not None and self._marker.is_missing

    def outcome(self, *, has_begun: bool) -> Outcome | None:
        """Of a stream that ended well; None where that is all. `has_begun`: data came before its
        end."""
        if not self.is_success:
            return None
        if self.error is not None:
            return o.STREAM_ERROR
        return None if has_begun or self._framing.has_event else o.STREAM_EMPTY
