"""The lag is what a timer overslept."""

import asyncio

from proxy.observation import lag
from proxy.observation.lag import measure_lag


async def test_the_lag_is_the_time_beyond_the_timer(monkeypatch) -> None:
    moments = iter([10.0, 10.31, 20.0, 20.25, 30.0, 30.2])
    monkeypatch.setattr(lag.clock, "now", lambda: next(moments))  # type: ignore[attr-defined]
    seen: list[float] = []

    async def sleep(seconds: float) -> None:
        assert seconds == 0.25
        if len(seen) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(lag.asyncio, "sleep", sleep)  # type: ignore[attr-defined]
    task = asyncio.ensure_future(measure_lag(seen.append, 0.25))
    await asyncio.wait([task])

    assert [0.06, 0.0, 0.0] == [round(value, 6) for value in seen]
