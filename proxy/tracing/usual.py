"""Finds at once all that recurs of an exchange of the usual kind.

That is one attempt that was answered and completed, and nothing beside it. Only its IDs, its times
and who asked differ from others of its kind.
"""

from typing import Final

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange
from proxy.outcome import COMPLETED
from proxy.tracing.attempt_facts import peer_of_attempt, url_of_attempt
from proxy.tracing.recurring import Recurring
from proxy.tracing.route_words import RouteWords
from proxy.tracing.span_events import around_head
from proxy.tracing.texts import Texts
from proxy.tracing.wire import MOST

_LONGEST: Final = 256
"""Of a target that is remembered, in characters."""

_Key = tuple[RouteWords | None, str, str, str, str, int | None, str, bool, int, str | None, str]


class UsualSpans:
    """What recurs of the SERVER span and of the CLIENT span."""

    def __init__(self, head: bytes, server: bytes, client: bytes) -> None:
        self.head = head
        """The only event, up to its time; what is behind that begins `server`."""
        self.server, self.client = server, client


class _Kind:
    """Exchanges of which all that recurs is the same, but for the target."""

    def __init__(self, key: _Key, spans: UsualSpans) -> None:
        self.spans = spans
        self.known: dict[str, UsualSpans] = {}
        """With the attributes of a target."""
        self._words, self._method, self._protocol, self._host, self._upstream, self._told = key[:6]
        self._endpoint, self._reused, self._status, self._result, self._peer = key[6:]

    def has(self, x: Exchange, tried: Attempt, protocol: str, words: RouteWords | None) -> bool:
        """Whether `x` is one of them."""
        return (
            self._words is words
            and self._reused == tried.reused
            and self._endpoint == tried.endpoint
            and self._peer == peer_of_attempt(tried)
            and self._method == x.method
            and self._host == x.host
            and self._status == tried.status
            and self._told == x.status
            and self._upstream == x.upstream
            and self._result == tried.result
            and self._protocol == protocol
        )


class UsualKinds:
    """Remembers at most `MOST` kinds and targets of them, and forgets all where there are more:
    those that recur come again."""

    def __init__(self, recurring: Recurring, texts: Texts) -> None:
        self._recurring, self._texts = recurring, texts
        self._kinds: dict[_Key, _Kind] = {}
        self._last: _Kind | None = None
        """The next exchange is mostly of this kind, too."""
        self._remembered = 0
        """Kinds, and targets of all of them together."""

    def of(self, x: Exchange, protocol: str, words: RouteWords | None) -> UsualSpans | None:
        """None: it is of another kind."""
        if x.outcome is not COMPLETED or len(x.attempts) != 1 or _is_more_to_tell(x):
            return None
        tried = x.attempts[0]
        status = tried.status
        if status is None or tried.head is None or tried.outcome is not None:
            return None
        kind = self._last
        if kind is None or not kind.has(x, tried, protocol, words):
            kind = self._last = self._kind_of(x, tried, status, protocol, words)
        known = kind.known.get(x.target)
        return self._with_target(kind, x, tried, words) if known is None else known

    def _kind_of(
        self, x: Exchange, tried: Attempt, status: int, protocol: str, words: RouteWords | None
    ) -> _Kind:
        key = (
            words, x.method, protocol, x.host, x.upstream, x.status,
            tried.endpoint, tried.reused, status, tried.result, peer_of_attempt(tried),
        )  # fmt: skip
        kind = self._kinds.get(key)
        if kind is None:
            asked = self._recurring.asked(x, protocol, words)
            ended = self._recurring.ended(x, COMPLETED)
            client = self._recurring.tried(x, tried, x.upstream)
            head, behind = around_head(status)
            kind = _Kind(key, UsualSpans(head, behind + asked + ended, client))
            self._make_room()
            self._kinds[key] = kind
        return kind

    def _with_target(
        self, kind: _Kind, x: Exchange, tried: Attempt, words: RouteWords | None
    ) -> UsualSpans:
        target, url = self._texts.target(x.target), url_of_attempt(x, tried, words)
        spans = kind.spans
        known = UsualSpans(spans.head, spans.server + target, spans.client + self._texts.url(url))
        if len(x.target) <= _LONGEST:
            self._make_room()
            kind.known[x.target] = known
        return known

    def _make_room(self) -> None:
        """For one more."""
        if self._remembered >= MOST:
            self._kinds.clear()
            self._last, self._remembered = None, 0
        self._remembered += 1


def _is_more_to_tell(x: Exchange) -> bool:
    """Whether its SERVER span says what few others do."""
    return (
        x.streamed
        or x.inband_error
        or x.first_event is not None
        or x.fallback is not None
        or x.retry_stopped is not None
    )
