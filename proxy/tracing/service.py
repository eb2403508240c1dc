"""Spans as a whole: built from settings and environment, started and stopped with the process."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from proxy import __version__
from proxy.exchange import Exchange
from proxy.observation.record import EmitEvent
from proxy.observation.series import Sample
from proxy.tracing.environment import EffectiveTracing, with_environment
from proxy.tracing.route_words import RouteWords
from proxy.tracing.rules import TracingRule
from proxy.tracing.sampling import Sampler
from proxy.tracing.spans import SpanWriter

if TYPE_CHECKING:  # opentelemetry-proto is an extra
    from proxy.tracing.exporter import SpanExporter

_MISSING: Final = "the spans need opentelemetry-proto, which is not installed"


class _Match(Protocol):
    @property
    def path(self) -> str: ...


class _Route(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def match(self) -> _Match: ...
    @property
    def strip_prefix(self) -> str | None: ...


class _Stories(Protocol):
    @property
    def slow(self) -> float: ...


class TracedSettings(Protocol):
    """What is read of the settings."""

    @property
    def service(self) -> str: ...
    @property
    def instance(self) -> str | None: ...
    @property
    def tracing(self) -> TracingRule: ...
    @property
    def stories(self) -> _Stories: ...
    @property
    def routes(self) -> Sequence[_Route]: ...


class TracingMissingError(Exception):
    """`tracing.endpoint` is set, but what spans are sent with is not installed."""


class Tracing:
    """`sampler` is for the way of a request; None where no spans are made.

    Raises TracingMissingError when made with settings that cannot be had.
    """

    def __init__(
        self, settings: TracedSettings, tell: EmitEvent, environ: Mapping[str, str] = os.environ
    ) -> None:
        held = with_environment(settings.tracing, settings.service, environ)
        self._held, self._tell = held, tell
        self._missing = ""
        self._writer: SpanWriter | None = None
        self._exporter = self._open(settings)
        self.sampler = None if self._exporter is None else _sampler(held, settings.stories.slow)

    def _open(self, settings: TracedSettings) -> "SpanExporter | None":
        """None where no spans are wanted, or a variable alone wants some that cannot be had."""
        held = self._held
        if held.url is None:
            return None
        try:
            from proxy.tracing.exporter import SpanExporter  # an extra
            from proxy.tracing.sender import Sender
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("opentelemetry", "google"):
                raise
            if settings.tracing.endpoint is None:
                self._missing = _MISSING
                return None
            raise TracingMissingError(
                f"tracing.endpoint is set, but {_MISSING}; run pip install '.[otel]' in its "
                "checkout, or set tracing.endpoint to null"
            ) from None
        rule = held.rule
        self._writer = SpanWriter(_words(settings), held.methods)
        return SpanExporter(
            self._writer,
            Sender(held.url, rule, f"sidelight/{__version__}"),
            _resource(held, socket.gethostname(), settings.instance),
            self._tell,
            version=__version__,
            queue=rule.queue,
            interval=rule.interval,
            timeout=rule.timeout,
        )

    @property
    def readers(self) -> list[Callable[[Sequence[Exchange]], None]]:
        """Who is to be given what has ended; none where no spans are made."""
        return [self._exporter.closed] if self._exporter is not None else []

    def take(self, settings: TracedSettings) -> None:
        """Other routes are in force, and what is slow; the rest takes effect at a start only."""
        if self._writer is not None:
            self._writer.take(_words(settings))
        if self.sampler is not None:
            self.sampler.take(settings.stories.slow)

    def start(self) -> None:
        """Begin to send, and say which variables do not hold."""
        for variable, why in self._held.ignored.items():
            self._tell("variable_ignored", "warning", {"variable": variable, "reason": why})
        if self._missing:
            self._tell("spans_failed", "error", {"reason": self._missing})
        if self._exporter is not None:
            self._exporter.start()

    async def stop(self) -> None:
        """Send what waits, as long as that is quick."""
        if self._exporter is not None:
            await asyncio.to_thread(self._exporter.close)

    def readings(self) -> Iterator[Sample]:
        """For the metrics."""
        if self._exporter is not None:
            yield from self._exporter.readings()


def _words(settings: TracedSettings) -> dict[str, RouteWords]:
    return {r.name: RouteWords(r.match.path, r.strip_prefix) for r in settings.routes}


def _sampler(held: EffectiveTracing, slow: float) -> Sampler:
    rule = held.rule
    return Sampler(
        rule.sample,
        follow_parent=rule.follow_parent,
        b3=rule.b3,
        failures="failures" in rule.always,
        slow=slow if "slow" in rule.always else None,
    )


def _resource(held: EffectiveTracing, host: str, instance: str | None) -> dict[str, str]:
    ours = {
        "service.name": held.service,
        "service.version": __version__,
        "service.instance.id": instance or host,
        "host.name": host,
        "telemetry.sdk.name": "sidelight",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": __version__,
    }
    return ours | held.rule.resource
