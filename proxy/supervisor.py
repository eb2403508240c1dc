"""The life cycle of the process: start, run until a signal, drain, end.

SIGTERM, or `POST /drain`: readiness off, after a delay nothing new, running answers may end up to
the limit.
SIGINT: the same with no delay and 2 s. A second signal: now.
SIGHUP: the settings are read again, and what runs goes on.
"""

import asyncio
import gc
import signal
from collections.abc import Callable

from proxy.app import App

_IN_A_HURRY = 2.0
"""Seconds that running answers get after SIGINT."""

_GARBAGE = 100_000
"""Objects made and not freed after which Python looks for cycles. It looks through all that is
kept of the latest exchanges then, some 10 ms long, and by default several times a second under
load; what ends here is no cycle, so that seldom is often enough."""

_ASKED = "POST /drain"
"""What ends it where it was asked for over the admin port."""


async def run(app: App, on_ready: Callable[[], None] = lambda: None) -> None:
    """Run `app` until SIGTERM or SIGINT, then end it. Raises OSError where a port is taken."""
    signals: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, number.name)
    loop.add_signal_handler(signal.SIGHUP, app.reloader.ask, "SIGHUP")
    app.ask_to_end = lambda: signals.put_nowait(_ASKED)
    try:
        await app.start()
        gc.freeze()  # what start-up made stays: no collection need look at it again
        gc.set_threshold(_GARBAGE, 20, 20)
        on_ready()
        await _drain(app, await signals.get(), signals)
    finally:
        await app.stop()


async def _drain(app: App, first: str, signals: asyncio.Queue[str]) -> None:
    """`first` is what ends it, as records say it."""
    rule = app.settings.drain
    hurry = first == signal.SIGINT.name
    draining = asyncio.create_task(
        app.drain(
            delay=0.0 if hurry else rule.readiness_delay,
            limit=min(rule.limit, _IN_A_HURRY) if hurry else rule.limit,
            cause=first,
        )
    )
    impatience = asyncio.create_task(signals.get())
    await asyncio.wait({draining, impatience}, return_when=asyncio.FIRST_COMPLETED)
    impatience.cancel()
    draining.cancel()
    await asyncio.wait({draining, impatience})
    if not draining.cancelled():
        draining.result()
