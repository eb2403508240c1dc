"""Reads the settings anew and has them put in force: one reload at a time, in the order asked for.

Reading, checking and building are done in a thread; in the loop stands one step, `take`.
"""

import asyncio
from typing import Final, Protocol

from proxy.clock import wall
from proxy.observation.fault import fault_place
from proxy.observation.observer import Observer
from proxy.observation.reload_report import ReloadReport, told
from proxy.reload.build import Builder, Built
from proxy.settings.difference import changes
from proxy.settings.faults import SettingsError
from proxy.settings.restart import awaiting_restart, effective
from proxy.settings.source import Source
from proxy.settings.survival import lost_state

NO_SOURCE: Final = "this process was given its settings by its own code, and cannot read them again"


class Reloadable(Protocol):
    """Whose settings they are."""

    not_ready_because: str | None

    @property
    def current(self) -> Built: ...

    def take(self, built: Built) -> None:
        """Put it in force."""


class Reloader:
    """`source` None: there is nothing that could be read again."""

    def __init__(
        self, app: Reloadable, builder: Builder, observer: Observer, source: Source | None
    ) -> None:
        self._app, self._builder, self._observer = app, builder, observer
        self._source = source
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[ReloadReport]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._watched_every: float | None = None
        self.last: ReloadReport | None = None
        """The last one that was loaded or rejected; None before the first."""

    @property
    def is_rejected(self) -> bool:
        """Whether the settings on disk are not in force, because they are wrong."""
        return self.last is not None and self.last.result == "rejected"

    def ask(self, cause: str) -> None:
        """Reload soon; nothing is added where one waits for its turn already."""
        if len(self._asked) < 2:
            task = asyncio.get_running_loop().create_task(self.reload(cause))
            self._asked.add(task)
            task.add_done_callback(self._answered)

    async def reload(self, cause: str) -> ReloadReport:
        """Read, check, build, and put in force; or leave everything as it is, and say why."""
        async with self._turn:
            source, refused = self._source, self._refusal()
            if refused or source is None:
                return self._refuse(cause, refused or NO_SOURCE)
            try:
                built, report = await asyncio.to_thread(self._prepared, cause, source)
            except SettingsError as error:
                return self._reject(cause, tuple(map(str, error.faults)))
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or error
                return self._reject(cause, (f"{source.name}: {why}",))
            if refused := self._refusal():
                return self._refuse(cause, refused)
            self._app.take(built)
            self.last = report
            self._observer.config_loaded(
                report.config_hash,
                cause=cause,
                changed=told(report.changed),
                lost=told(report.lost),
                needs_restart=list(report.needs_restart),
                warnings=told(report.warnings),
            )
            return report

    def watch(self, every: float | None) -> None:
        """Look at the file every so many seconds from now on; None: never."""
        if every == self._watched_every:
            return
        self._watched_every = every
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if every is not None and self._source is not None:
            self._watching = asyncio.get_running_loop().create_task(
                self._look_again(every, self._source)
            )

    async def stop(self) -> None:
        """Look no more, and give up what waits."""
        tasks: set[asyncio.Task[object]] = {*self._asked}
        if self._watching is not None:
            tasks.add(self._watching)
            self._watching = None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _look_again(self, every: float, source: Source) -> None:
        """A change counts once two looks in a row have seen the same: until then it is written."""
        before = ""
        while True:
            await asyncio.sleep(every)
            sign = await asyncio.to_thread(source.sign)
            if sign == source.seen:
                before = ""
            elif sign == before:
                before = ""
                self.ask("watch")
            else:
                before = sign

    def _answered(self, task: asyncio.Task[ReloadReport]) -> None:
        """A fault of ours is said where nobody else waits to hear of it."""
        self._asked.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._observer.reload_refused("fault", fault_place(fault))

    def _refusal(self) -> str | None:
        """Why no settings are taken now."""
        reason = self._app.not_ready_because
        return None if reason is None else f"it is {reason}"

    def _prepared(self, cause: str, source: Source) -> tuple[Built, ReloadReport]:
        """What need not be done in the loop. Raises SettingsError, OSError, ValueError."""
        new, running = source.load(), self._app.current.settings
        settings = effective(running, new)
        report = ReloadReport(
            "loaded",
            cause,
            settings.config_hash,
            wall(),
            tuple(change.key for change in changes(running, settings)),
            tuple(lost_state(running, settings)),
            awaiting_restart(running, new),
            warnings=source.warnings,
        )
        return self._builder.build(settings), report

    def _reject(self, cause: str, faults: tuple[str, ...]) -> ReloadReport:
        in_force = self._app.current.settings.config_hash
        pending = self.last.needs_restart if self.last else ()
        self.last = ReloadReport(
            "rejected", cause, in_force, wall(), needs_restart=pending, faults=faults
        )
        self._observer.config_rejected(cause, told(faults), config_hash=in_force)
        return self.last

    def _refuse(self, cause: str, reason: str) -> ReloadReport:
        self._observer.reload_refused(cause, reason)
        in_force = self._app.current.settings.config_hash
        return ReloadReport("refused", cause, in_force, wall(), reason=reason)
