"""Sends alerts to their receivers, from a task of its own; nobody ever waits for it.

A receiver that does not take a message is tried again with growing pauses, then given up.
Its URL is never logged or shown, for it may be a secret; only its host is.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from proxy import clock
from proxy.alerts.message import body_of, headers_of
from proxy.alerts.rule import Webhook
from proxy.resilience.pauses import growing

QUEUE: Final = 100
TRIES: Final = 5
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """`event` is raised, reminder, cleared or test."""

    event: str
    alert: Mapping[str, object]


class Notifier:
    """`results` counts every message by rule and how it ended, for each receiver."""

    def __init__(
        self,
        webhooks: Sequence[Webhook],
        service: str,
        results: Counter[tuple[str, str]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._webhooks, self._service, self._sleep = webhooks, service, sleep
        self._results = results
        self._queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE)
        self._task: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Begin to send; call it in the loop. Without receivers there is nothing to begin."""
        if self._webhooks and self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Give up what was not sent yet."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    def put(self, message: Message) -> None:
        """Have it sent to everybody. Never waits: a full queue drops it and counts that."""
        if not self._webhooks:
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._results[str(message.alert["rule"]), "dropped"] += 1

    async def test(self, message: Message) -> list[dict[str, str]]:
        """Send it once, now, and say how each receiver took it."""
        return [
            {"receiver": host_of(hook), "result": "failed" if failed else "sent", "detail": failed}
            for hook in self._webhooks
            for failed in [await self._post(hook, message)]
        ]

    async def _run(self) -> None:
        while True:
            message = await self._queue.get()
            await asyncio.gather(*(self._deliver(hook, message) for hook in self._webhooks))

    async def _deliver(self, hook: Webhook, message: Message) -> None:
        pauses = growing(FIRST_PAUSE, LONGEST_PAUSE, 0.25)
        for tried in range(1, TRIES + 1):
            if not await self._post(hook, message):
                self._results[str(message.alert["rule"]), "sent"] += 1
                return
            if tried < TRIES:
                await self._sleep(next(pauses))
        self._results[str(message.alert["rule"]), "failed"] += 1

    async def _post(self, hook: Webhook, message: Message) -> str:
        """Empty if it was taken, else why not."""
        body = body_of(message.alert, message.event, self._service, hook.format)
        secret = hook.secret.get_secret_value() if hook.secret else None
        if self._session is None:
            limit = aiohttp.ClientTimeout(total=TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=limit)
        try:
            async with self._session.post(
                hook.url.get_secret_value(),
                data=body,
                headers=headers_of(body, secret, clock.wall()),
                allow_redirects=False,
            ) as answer:
                return "" if answer.status < 300 else f"status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return type(error).__name__  # its text would quote the URL


def host_of(hook: Webhook) -> str:
    """What of a receiver may be shown."""
    return urlsplit(hook.url.get_secret_value()).hostname or "?"
