"""Measures how late the event loop is: the time by which a timer overslept."""

import asyncio
from collections.abc import Callable
from typing import Final

from proxy import clock

_EVERY: Final = 0.25


async def measure_lag(observe: Callable[[float], None], every: float = _EVERY) -> None:
    """Give `observe` the lag in seconds, every `every` seconds, until cancelled."""
    while True:
        due = clock.now() + every
        await asyncio.sleep(every)
        observe(max(0.0, clock.now() - due))
