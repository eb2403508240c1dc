"""The settings: every key, its default, its unit and its meaning.

Rules stand next to their trades; here they are assembled.
Nothing here reads a file or the environment: that is `load`, and only what it made is whole,
because it lays the keys of a route over those of its policy first.
"""

import hashlib
import json
from functools import cache, cached_property
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    WithJsonSchema,
)

from proxy.diagnostics.alerts.rules import AlertsRule
from proxy.diagnostics.stories.rules import StoreRule, StoriesRule
from proxy.fallback.rules import FallbackRule
from proxy.http.rules import CorsRule, HeadersRule, IdentityRule
from proxy.knobs import Duration, Knobs, Size
from proxy.limits.rules import ConcurrencyRule, RateRule
from proxy.resilience.rules import BreakerRule, RetryRule
from proxy.settings import syntax
from proxy.settings.faults import KeyPath, Place
from proxy.settings.sections import (
    Admin,
    DrainRule,
    Listen,
    LogRule,
    Match,
    MessageRule,
    Observe,
    ObservedField,
    OverloadRule,
    OwnErrors,
    ReloadRule,
    TimeoutsRule,
)
from proxy.settings.shape import Shape
from proxy.settings.tree import Keys, Origin, place_of
from proxy.streams.rules import StreamRule
from proxy.upstream.rules import UpstreamRule

__all__ = [
    "Admin",
    "DrainRule",
    "Listen",
    "LogRule",
    "Match",
    "Observe",
    "ObservedField",
    "OwnErrors",
    "Policy",
    "ResolvedRoute",
    "Settings",
    "TimeoutsRule",
    "shape",
]


class Policy(Knobs):
    """A named set of knobs that routes refer to."""

    timeouts: TimeoutsRule = TimeoutsRule()
    """The clocks of an exchange."""
    retry: RetryRule = RetryRule()
    """When a failed attempt is made again."""
    breaker: BreakerRule = BreakerRule()
    """When attempts are refused because the upstream has failed too often."""
    stream: StreamRule = StreamRule()
    """How streams of events are passed on."""
    rate_limit: tuple[RateRule, ...] = ()
    """How often the same client may ask; all of them must give leave."""
    concurrency: ConcurrencyRule = ConcurrencyRule()
    """How many requests may be under way at once."""
    require_https: Literal["off", "refuse", "redirect"] = "off"
    """What is asked by plain HTTP: `refuse` answers 403, `redirect` also sends GET and HEAD to
    https. Behind a trusted proxy its `X-Forwarded-Proto` or `Forwarded` counts."""
    hsts: Duration | None = None
    """How long browsers shall come by https only (`Strict-Transport-Security`), said to those who
    came by it; null: not said."""
    content_types: tuple[syntax.MediaType, ...] = ()
    """Types of bodies that are let in, such as `application/json` or `text/*`; none: all."""
    message: MessageRule = MessageRule()
    """The message in the JSON of requests; the body is then waited for, up to 1 MiB."""
    headers: HeadersRule = HeadersRule()
    """Headers that are set, added and removed, both ways."""
    max_body: Size = 128 * 1024 * 1024
    """Largest body of a request; a larger one is answered with 413."""
    max_response: Annotated[Size, Field(ge=1)] | None = None
    """Largest body of an answer, as it is sent; one that says it is larger is answered with 502,
    one that turns out to be is cut; null: any size."""
    fallback: FallbackRule = FallbackRule()
    """What the client gets where the upstream gives no answer."""
    server_timing: bool = False
    """Whether answers carry `Server-Timing` for the tools of browsers: what the upstream took up
    to the head, and what Sidelight did, pauses and queues included."""


def _or_none(rule: CorsRule | None) -> CorsRule | None:
    """Without origins there is no rule: the upstream's own headers pass."""
    return rule if rule and rule.origins else None


Cors = Annotated[CorsRule | None, AfterValidator(_or_none)]


def _mask_mode(value: object) -> object:
    return {True: "always", "true": "always", False: "never", "false": "never"}.get(value, value)


MaskErrors = Annotated[
    Literal["never", "traces", "always"],
    BeforeValidator(_mask_mode),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "enum": ["never", "traces", "always"]}, {"type": "boolean"}]}
    ),
]


def _not_reserved(name: str) -> str:
    if name in ("none", "other"):
        raise ValueError(f"{name} is what metrics call traffic of no route; take another name")
    return name


class ResolvedRoute(Policy):
    """A route, its own keys laid over those of its policy."""

    model_config = ConfigDict(title="Route")

    name: Annotated[syntax.Name, AfterValidator(_not_reserved)]
    """Name in log, metrics and alerts."""
    match: Match
    """Which requests it takes; the most specific route wins, whatever the order here."""
    upstream: syntax.Name
    """Upstream they are forwarded to."""
    policy: syntax.Name = "default"
    """Policy whose keys hold where the route has none of its own."""
    strip_prefix: syntax.Prefix | None = None
    """Part of the path that the upstream does not see, such as `/api`."""
    mask_upstream_errors: MaskErrors = "traces"
    """Which bodies of the upstream's 5xx answers are replaced by Sidelight's own JSON: those that
    begin with a stack trace, all (`always` or `true`), or none (`never` or `false`)."""
    encoded_slash: Literal["refuse", "forward"] = "refuse"
    """What becomes of a target whose decoded path (`/api%2fchat`) another route would take:
    `refuse` answers 400, `forward` sends it where its raw form belongs."""
    websocket: bool = False
    """Whether clients may open WebSockets; without it they are answered with 426."""
    cors: Cors = None
    """Pages of other origins that may read answers; keys left out are those of `cors` for all."""


def _with_networks(rule: IdentityRule) -> IdentityRule:
    if (rule.mode == "trust_from") != bool(rule.trust_from):
        raise ValueError(
            "trust_from and mode: trust_from need each other; give both or neither of them"
        )
    return rule


class Settings(Knobs):
    """Everything Sidelight is told."""

    service: syntax.Name = "sidelight"
    """Name in the log and in `Proxy-Status`."""
    event_loop: Literal["uvloop", "asyncio"] = "uvloop"
    """The event loop; asyncio where uvloop is not to be had."""
    listen: Listen = Listen()
    """The traffic port."""
    admin: Admin = Admin()
    """The admin port."""
    identity: Annotated[IdentityRule, AfterValidator(_with_networks)] = IdentityRule()
    """Whose request ID is kept."""
    trusted_proxies: tuple[syntax.Network, ...] = ()
    """Networks whose `X-Forwarded-*`, `X-Real-IP` and `Forwarded` are passed on; none: nobody's."""
    overload: OverloadRule = OverloadRule()
    """When new requests are refused, because this process has more to do than it can."""
    drain: DrainRule = DrainRule()
    """How it ends."""
    reload: ReloadRule = ReloadRule()
    """How new settings reach a running process."""
    errors: OwnErrors = OwnErrors()
    """How Sidelight's own errors are told."""
    log: LogRule = LogRule()
    """The log on standard output."""
    observe: Observe = Observe()
    """What is recorded beyond Sidelight's own fields."""
    stories: StoriesRule = StoriesRule()
    """Stories in memory, to be found by their Reference ID."""
    store: StoreRule = StoreRule()
    """Stories and errors on disk, so that they survive a restart."""
    alerts: AlertsRule = AlertsRule()
    """Rules over windows, evaluated in the process, and who is told."""
    cors: Cors = None
    """Pages of other origins that may read answers, for all routes."""
    upstreams: dict[syntax.Name, UpstreamRule] = Field(min_length=1)
    """Services that requests are forwarded to, by name."""
    policies: dict[syntax.Name, Policy] = Field(default_factory=dict)
    """Sets of knobs that routes refer to, by name; the shipped ones are always there."""
    routes: tuple[ResolvedRoute, ...] = Field(min_length=1)
    """Which requests go where, and under which knobs."""

    _warnings: tuple[str, ...] = PrivateAttr(())
    _origin: Origin = PrivateAttr(Origin(Keys(Place("settings"))))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found odd but not wrong when the settings were read."""
        return self._warnings

    def place_of(self, path: KeyPath) -> Place:
        """Where a value was written, for faults that show only when it is used."""
        return place_of(self._origin.tree, path)

    @cached_property
    def config_hash(self) -> str:
        """Twelve characters that change with any effective setting; secrets are left out."""
        text = json.dumps(_plain(self.model_dump()), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: object) -> object:
    """`value` in an order and form that do not change between runs."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case SecretStr():
            return "secret"
        case _:
            return str(value)


@cache
def shape() -> Shape:
    """The shape of all settings, for those who walk the keys before there are values."""
    schema = Settings.model_json_schema()
    return Shape(schema, schema["$defs"])
