"""The configured limits of a route as a record refers to them.

Only what a story tells. The rules themselves stand next to their trades.
Lengths of time are seconds.
"""

from collections.abc import Sequence
from typing import Protocol


class Timeouts(Protocol):
    """Every clock of an exchange that a route can set; None: off."""

    @property
    def request_body_gap(self) -> float: ...
    @property
    def request_body(self) -> float | None: ...
    @property
    def min_upload_rate(self) -> int | None: ...
    @property
    def connect(self) -> float: ...
    @property
    def pool_wait(self) -> float: ...
    @property
    def head(self) -> float: ...
    @property
    def first_event(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def event_gap(self) -> float | None: ...
    @property
    def max_stream(self) -> float: ...
    @property
    def total(self) -> float: ...
    @property
    def client_write(self) -> float: ...
    @property
    def tunnel_idle(self) -> float: ...


class Matching(Protocol):
    """Which requests the route takes."""

    @property
    def host(self) -> str | None: ...
    @property
    def path(self) -> str: ...
    @property
    def methods(self) -> Sequence[str]: ...


class Retrying(Protocol):
    """How often it tries."""

    @property
    def attempts(self) -> int: ...
    @property
    def retry_after_cap(self) -> float: ...


class Breaking(Protocol):
    """How its breaker counts."""

    @property
    def window(self) -> float: ...


class MessageLimits(Protocol):
    """How long a message may be."""

    @property
    def max_length(self) -> int: ...


class Terms(Protocol):
    """The whole rule of a route."""

    @property
    def policy(self) -> str: ...
    @property
    def match(self) -> Matching: ...
    @property
    def timeouts(self) -> Timeouts: ...
    @property
    def retry(self) -> Retrying: ...
    @property
    def breaker(self) -> Breaking: ...
    @property
    def message(self) -> MessageLimits: ...
    @property
    def max_body(self) -> int: ...
    @property
    def max_response(self) -> int | None: ...
