"""What every exchange reads of its route's rule, copied once.

Reading a settings model costs ten times as much as reading an attribute, and an exchange reads
some twenty.
"""

from collections.abc import Collection

from proxy.http.rules import CorsRule
from proxy.settings.schema import ResolvedRoute


class RouteTerms:
    """The keys of the same names, for reading only; clocks in seconds, sizes in bytes."""

    def __init__(self, rule: ResolvedRoute) -> None:
        self.name: str = rule.name
        self.upstream: str = rule.upstream
        self.strip_prefix: str = rule.strip_prefix or ""
        """Empty where nothing is cut off."""
        self.websocket: bool = rule.websocket
        self.cors: CorsRule | None = rule.cors
        self.max_body: int = rule.max_body
        self.max_response: int | None = rule.max_response
        self.server_timing: bool = rule.server_timing
        self.stream_types: Collection[str] = rule.stream.types
        self.hold_first_event: bool = rule.stream.hold_first_event
        self.total: float = rule.timeouts.total
        self.head: float = rule.timeouts.head
        self.client_write: float = rule.timeouts.client_write
