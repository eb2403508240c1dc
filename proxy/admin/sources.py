"""Interface of everything that the admin port reads of the rest, and of the orders it may give.

The one interface between the two, in plain values, so that the admin side can move to another
process; the application implements it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from proxy.admin.health import HealthView
from proxy.admin.json_view import JsonObject
from proxy.admin.live import Live
from proxy.diagnostics.errors.groups import GroupOrder
from proxy.diagnostics.stories.query import Query
from proxy.observation.reload_report import ReloadReport
from proxy.observation.series import Exemplars, Snapshot

Order = Literal["open", "close", "reset"]
"""`open` and `close` change a circuit that is not so already; `reset` forgets what was counted."""


class FoundView(Protocol):
    """What was found, newest first; `store` is `failing` where only the memory could be read."""

    @property
    def stories(self) -> Sequence[JsonObject]: ...
    @property
    def store(self) -> str: ...
    @property
    def why(self) -> str:
        """Why there is none under an ID; empty where there is one, or nobody knows."""

    @property
    def is_shared(self) -> bool:
        """Whether other instances have the same store."""

    @property
    def named(self) -> Sequence[str]:
        """IDs of stories that `why` names."""


class FollowedView(Protocol):
    """What has ended since, oldest first; `missed` counts those that are not shown."""

    @property
    def stories(self) -> Sequence[JsonObject]: ...
    @property
    def cursor(self) -> int: ...
    @property
    def missed(self) -> int: ...


class DiagnosticsView(Protocol):
    """Stories, errors and alerts. What does not wait is quick."""

    async def story(self, request_id: str, *, across: bool = False) -> FoundView:
        """All that is known under this ID."""

    async def parted(self, request_id: str, good: str | None) -> JsonObject | str:
        """Where the newest story of this ID parts from that of `good`, or from the nearest good
        one; the ID, or what was looked for, where there is no story of it."""

    async def stories(self, query: Query) -> FoundView:
        """Summaries."""

    async def tail(self, cursor: int | None, query: Query, wait: float) -> FollowedView:
        """What ended after `cursor`, in `wait` seconds at most; None: from now on."""

    def errors(self, wall: float) -> JsonObject:
        """`groups` and `summary`."""

    def error(self, fingerprint: str, wall: float) -> JsonObject | None:
        """One group."""

    def order_error(self, fingerprint: str, order: GroupOrder) -> bool:
        """Mute a group or say that it is over; False: there is none."""

    def alerts(self, wall: float) -> Sequence[JsonObject]:
        """Raised ones first."""

    def silence(self, rule: str, until: float) -> bool:
        """Until then, in seconds since 1970; 0 ends a silence. False: there is no such rule."""

    async def alert_test(self) -> Sequence[JsonObject]:
        """Send a test to every receiver; how each took it."""

    def store_state(self) -> JsonObject:
        """`state`, `reason`, `dropped`, `queued`."""


class AdminSources(Protocol):
    """Every method is called in the event loop and must be quick."""

    @property
    def diagnostics(self) -> DiagnosticsView:
        """What is remembered of exchanges."""

    def ready(self) -> tuple[bool, str]:
        """Whether traffic is wanted now, and if not, why not."""

    def health(self) -> HealthView:
        """How things stand at this moment."""

    def live(self) -> Live:
        """What runs at this moment, and the last five minutes."""

    def summary(self) -> Mapping[str, object]:
        """The body of `/metrics.json`."""

    def exemplars(self) -> Exemplars:
        """The exchanges that the snapshot taken just before has counted."""

    def snapshot(self) -> Snapshot:
        """The metrics at this moment."""

    def config(self) -> Mapping[str, object]:
        """The effective settings, secrets not yet redacted."""

    def routes(self) -> Sequence[JsonObject]:
        """All routes, the most specific first."""

    def limits(self) -> JsonObject:
        """Every limit, what it decided, and whom it refuses."""

    def breakers(self) -> Sequence[JsonObject]:
        """The circuit of every route, with its latest changes."""

    def order_breaker(self, route: str, order: Order) -> str | None:
        """Obey; the reason if that cannot be: `route_not_found`, `breaker_disabled`."""

    async def reload(self, cause: str) -> ReloadReport:
        """Read the settings again; waits for its turn."""

    def last_reload(self) -> ReloadReport | None:
        """What came of the last one; None before the first."""

    def drain_view(self) -> JsonObject:
        """Whether it drains, and how far it has come."""

    def start_drain(self) -> bool:
        """Begin to drain and then end; False where nobody would notice."""
