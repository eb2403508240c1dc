"""Sends alerts to their receivers in the background, one task each.

A receiver that does not take a message is tried again with growing pauses, then given up.
Its URL is never logged or shown, for it may be a secret; only its host is.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from proxy import clock
from proxy.diagnostics.alerts.message import headers_of, message_body
from proxy.diagnostics.alerts.rules import Webhook
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
        self._service, self._sleep = service, sleep
        self._results = results
        self._queues = [(hook, asyncio.Queue[Message](QUEUE)) for hook in webhooks]
        self._tasks: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Begin to send; call it in the loop."""
        self._tasks = [asyncio.create_task(self._run(*pair)) for pair in self._queues]

    async def stop(self) -> None:
        """Give up what was not sent yet."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def has_receivers(self) -> bool:
        return bool(self._queues)

    def put(self, message: Message) -> None:
        """Have it sent to everybody. Never waits: a full queue drops it and counts that."""
        for _, queue in self._queues:
            if queue.full():
                self._count(message, "dropped")
            else:
                queue.put_nowait(message)

    async def test(self, message: Message) -> list[dict[str, str]]:
        """Send it once, now, and say how each receiver took it."""
        return [
            {"receiver": host_of(hook), "result": "failed" if failed else "sent", "detail": failed}
            for hook, _ in self._queues
            for failed in [await self._post(hook, message)]
        ]

    async def _run(self, hook: Webhook, queue: asyncio.Queue[Message]) -> None:
        while True:
            message = await queue.get()
            self._count(message, "sent" if await self._deliver(hook, message) else "failed")

    async def _deliver(self, hook: Webhook, message: Message) -> bool:
        """Try until it is taken; False: given up."""
        pauses = growing(FIRST_PAUSE, LONGEST_PAUSE, 0.25, random.random)
        for tried in range(1, TRIES + 1):
            if not await self._post(hook, message):
                return True
            if tried < TRIES:
                await self._sleep(next(pauses))
        return False

    def _count(self, message: Message, result: str) -> None:
        self._results[str(message.alert["rule"]), result] += 1

    async def _post(self, hook: Webhook, message: Message) -> str:
        """Empty if it was taken, else why not."""
        body = message_body(message.alert, message.event, self._service, hook.format)
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
