"""What the sentences of a diagnosis may name: facts of one record, each in words.

Every fact is a property; a template takes the ones it names. The record was redacted when it was
made.
"""

from typing import Final

from proxy.diagnostics.stories.clocks import head_at, is_tunnel, ran_out, silence
from proxy.diagnostics.stories.words import count, lasting, limit
from proxy.exchange import Exchange

_PHASES: Final = {
    "R": "while its request was being read",
    "Q": "while the request waited",
    "B": "before an attempt was made",
    "C": "while a connection was being made",
    "W": "while the request was being sent",
    "H": "while the head of the answer was awaited",
    "F": "while the first event was awaited",
    "S": "within the answer",
}


_OPENED: Final = {
    "consecutive": " because too many attempts in a row had failed",
    "ratio": " because too large a share of the attempts had failed",
    "probe_failed": " because its probe had failed",
    "manual": " because it had been opened by hand",
}
"""By the rule that opened a circuit."""


class Facts:
    """Made for `str.format_map`: the names of its properties are the names in the templates."""

    def __init__(self, x: Exchange) -> None:
        self._x = x

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    @property
    def upstream(self) -> str:
        """The endpoint that was asked, and of which upstream it is."""
        last, name = self._x.attempts[-1] if self._x.attempts else None, self.service
        return f"the endpoint {last.endpoint} of {name}" if last and last.endpoint else name

    @property
    def service(self) -> str:
        """The upstream as a whole, where no endpoint of it was asked."""
        return f"the {self._x.upstream} upstream" if self._x.upstream else "the upstream"

    @property
    def opened(self) -> str:
        """What kept the circuit from letting the request through."""
        opening, state = self._x.opening, self._x.breaker_state
        if state == "half_open":
            return "half-open, and its one probe was under way"
        return "open" + (_OPENED.get(opening.rule, "") if opening else "")

    @property
    def endpoint(self) -> str:
        last = self._x.attempts[-1] if self._x.attempts else None
        return f"the endpoint {last.endpoint}" if last and last.endpoint else "the endpoint"

    @property
    def connection(self) -> str:
        last = self._x.attempts[-1] if self._x.attempts else None
        return "a reused connection" if last and last.reused else "a new connection"

    @property
    def at_work(self) -> str:
        """How far the request had come when the endpoint closed."""
        last = self._x.attempts[-1] if self._x.attempts else None
        if last and last.sent:
            return "when it had been sent the request"
        return "before a byte of the request was acknowledged"

    @property
    def route(self) -> str:
        return f"the route {self._x.route}" if self._x.route else "no route"

    @property
    def method(self) -> str:
        return self._x.method

    @property
    def status(self) -> str:
        x = self._x
        return str(x.upstream_status or x.status)

    @property
    def duration(self) -> str:
        return lasting(self._x.duration)

    @property
    def phase(self) -> str:
        return _PHASES.get(self._x.phase, "on its way")

    @property
    def detail(self) -> str:
        """The technical words in brackets; nothing where there are none."""
        detail = self._x.detail
        return f" ({detail})" if detail else ""

    @property
    def asked(self) -> str:
        """How far the request had come when nothing was answered."""
        last = self._x.attempts[-1] if self._x.attempts else None
        return "had been sent the request" if last and last.sent else "had not been sent a byte"

    @property
    def sent_in(self) -> str:
        """How far a request came that was never whole; the clock of the head is the listener's."""
        x = self._x
        if not x.route:
            return "its headers did not arrive in time"
        arrived = f", only {count(x.bytes_in, 'byte')} of it" if x.bytes_in else ""
        by = "the upstream" if (x.detail or "").startswith("the upstream") else self.limit
        return f"its body did not arrive whole{arrived}; {by} ended the wait"

    @property
    def received(self) -> str:
        """What of the answer the client was given."""
        x = self._x
        if x.streamed and not x.is_raw and not is_tunnel(x):
            return count(x.events, "event")
        found = x.evidence
        if found is not None and found.announced is not None and not found.is_whole:
            return f"{found.received} of the {found.announced} bytes that it had announced"
        return count(x.bytes_out, "byte")

    @property
    def cut(self) -> str:
        """How an answer ended that did not end as announced."""
        found = self._x.evidence
        if found is not None and found.framing == "chunked":
            return "closed without the last chunk that ends an answer"
        return "closed before the answer had ended as announced"

    @property
    def pace(self) -> str:
        """When the answer began, in brackets."""
        head, first = head_at(self._x), self._x.first_event
        began = (("head", head), ("first event", first))
        told = [f"{what} after {lasting(at)}" for what, at in began if at is not None]
        return f" ({', '.join(told)})" if told else ""

    @property
    def silence(self) -> str:
        silent = silence(self._x)
        return "too long" if silent is None else lasting(silent)

    @property
    def waited(self) -> str:
        """How long the last attempt waited for a head."""
        last = self._x.attempts[-1] if self._x.attempts else None
        return lasting((last.head if last else None) or self._x.duration)

    @property
    def queued(self) -> str:
        return lasting(self._x.spent.queue)

    @property
    def limit(self) -> str:
        """The clock that ran out, with what it was set to."""
        name, terms = ran_out(self._x), self._x.terms
        if name is None:
            return "the limit"
        value = getattr(terms.timeouts, name) if terms else None
        if value is None:
            return f"the {name} limit"
        told = f"{value} bytes/s" if name == "min_upload_rate" else limit(value)
        return f"the {name} limit of {told}"

    @property
    def largest(self) -> str:
        terms = self._x.terms
        return f"{terms.max_body} bytes" if terms else "size"

    @property
    def largest_answer(self) -> str:
        terms = self._x.terms
        return f"{terms.max_response} bytes" if terms and terms.max_response else "size"

    @property
    def rest(self) -> str:
        """What the last answer asked for by `Retry-After`."""
        asked = self._x.attempts[-1].retry_after if self._x.attempts else None
        return "unknown length" if asked is None else lasting(asked)

    @property
    def cap(self) -> str:
        terms = self._x.terms
        return f" of {limit(terms.retry.retry_after_cap)}" if terms else ""

    @property
    def retry_in(self) -> str:
        wait = self._x.retry_in
        return f" The client was asked to wait {lasting(wait)}." if wait is not None else ""

    @property
    def stream(self) -> str:
        x = self._x
        if is_tunnel(x):
            passed = (
                f"{count(x.bytes_in, 'byte')} from the client, {count(x.bytes_out, 'byte')} to it"
            )
            return f" It was a tunnel{self.detail}: {passed}."
        if not x.streamed or x.is_raw:
            return ""
        return f" It was a stream of {count(x.events, 'event')}{self._gap}."

    @property
    def _gap(self) -> str:
        x = self._x
        if not x.max_gap:
            return ""
        when = f", {lasting(x.max_gap_at)} after the beginning" if x.max_gap_at is not None else ""
        return f", its longest silence {lasting(x.max_gap)}{when}"
