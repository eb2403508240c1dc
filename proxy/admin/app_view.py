"""What the admin port looks at: the running app, as far as it reads it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from proxy.admin.sources import DiagnosticsView
from proxy.limits.overload import Overload
from proxy.limits.places import Places
from proxy.observation.log import Log
from proxy.observation.metrics import Metrics
from proxy.observation.observer import Observer
from proxy.observation.reload_report import ReloadReport
from proxy.observation.summary import Summary
from proxy.routing import Route
from proxy.settings.schema import Settings
from proxy.tls.facts import CertificateFacts
from proxy.upstream.upstream import Upstream


class ReloaderView(Protocol):
    """Who reads the settings again."""

    @property
    def last(self) -> ReloadReport | None: ...
    @property
    def is_rejected(self) -> bool: ...
    async def reload(self, cause: str) -> ReloadReport: ...


class CertificatesView(Protocol):
    """How all certificates stand."""

    def facts(self) -> list[CertificateFacts]: ...


class AppView(Protocol):
    """What is looked at."""

    not_ready_because: str | None

    @property
    def settings(self) -> Settings: ...
    @property
    def routes(self) -> Sequence[Route]: ...
    @property
    def overload(self) -> Overload: ...
    @property
    def overall(self) -> Places | None: ...
    @property
    def upstreams(self) -> Mapping[str, Upstream]: ...
    @property
    def observer(self) -> Observer: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def summary(self) -> Summary: ...
    @property
    def log(self) -> Log: ...
    @property
    def diagnostics(self) -> DiagnosticsView: ...
    @property
    def reloader(self) -> ReloaderView: ...
    @property
    def tls(self) -> CertificatesView: ...
    @property
    def ask_to_end(self) -> Callable[[], None] | None: ...
