"""Sends alerts to their receivers in the background, one task each.

A receiver that does not take a message is tried again with growing pauses, then given up.
Its URL is never logged or shown, for it may be a secret; only its host is.
"""

import asyncio
import random
import socket
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


class _Receiver:
    """Somebody who is told, and what waits to be sent there."""

    def __init__(self, hook: Webhook) -> None:
        self.hook = hook
        self.queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE)
        self.task: asyncio.Task[None] | None = None


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
        self._receivers = [_Receiver(hook) for hook in webhooks]
        self.delivered: Callable[[str, Mapping[str, object]], None] = lambda *_: None
        """Told of each message that somebody has taken; assign it to know."""
        self._is_started = False
        self._session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        """Begin to send; call it in the loop."""
        self._is_started = True
        for receiver in self._receivers:
            receiver.task = asyncio.create_task(self._run(receiver))

    def take(self, webhooks: Sequence[Webhook]) -> None:
        """Send to others from now on; what waits for one that is gone is dropped and counted."""
        before, self._receivers = self._receivers, []
        for hook in webhooks:
            receiver = next((one for one in before if one.hook == hook), None)
            if receiver is not None:
                before.remove(receiver)
            else:
                receiver = _Receiver(hook)
                if self._is_started:
                    receiver.task = asyncio.create_task(self._run(receiver))
            self._receivers.append(receiver)
        for gone in before:
            self._dismiss(gone)

    def _dismiss(self, gone: "_Receiver") -> None:
        if gone.task is not None:
            gone.task.cancel()
        while not gone.queue.empty():
            self._count(gone.queue.get_nowait(), "dropped")

    async def stop(self) -> None:
        """Give up what was not sent yet."""
        tasks = [one.task for one in self._receivers if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._is_started = False
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def has_receivers(self) -> bool:
        return bool(self._receivers)

    def put(self, message: Message) -> None:
        """Have it sent to everybody. Never waits: a full queue drops it and counts that."""
        for receiver in self._receivers:
            if receiver.queue.full():
                self._count(message, "dropped")
            else:
                receiver.queue.put_nowait(message)

    async def test(self, message: Message) -> list[dict[str, str]]:
        """Send it once, now, and say how each receiver took it."""
        return [
            {"receiver": host_of(hook), "result": "failed" if failed else "sent", "detail": failed}
            for hook in [receiver.hook for receiver in self._receivers]
            for failed in [await self._post(hook, message)]
        ]

    async def _run(self, receiver: "_Receiver") -> None:
        while True:
            message = await receiver.queue.get()
            is_sent = await self._deliver(receiver.hook, message)
            self._count(message, "sent" if is_sent else "failed")
            if is_sent:
                self.delivered(message.event, message.alert)

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
        body = message_body(
            message.alert, message.event, self._service, hook.format, socket.gethostname()
        )
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
