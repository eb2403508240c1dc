"""A real browser in front of the dashboard: the system's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE = {"width": 390, "height": 844}


def playwright() -> Any:
    """Its async API; skips the test where it or the browser is missing, but not in CI."""
    missing = None if Path(CHROMIUM).exists() else "Chromium (apt-get install chromium)"
    try:
        from playwright.async_api import async_playwright
    except ModuleNotFoundError:
        missing = "Playwright (pip install playwright)"
    if missing is None:
        return async_playwright()
    message = f"the dashboard is not tested: it needs {missing}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@dataclass  # Playwright adds attributes of its own
class Browser:
    """Opens pages of one admin port and remembers what must not happen on them."""

    origin: str
    chromium: Any
    wrongs: list[str] = field(default_factory=list)
    """Errors of scripts, refusals of the policy, requests to elsewhere."""
    dialogs: list[str] = field(default_factory=list)
    """Questions that were asked; all are answered with yes."""

    async def open(self, path: str = "/", **context: object) -> Any:
        """A page of its own session."""
        opened = await self.chromium.new_context(base_url=self.origin, **context)
        page = await opened.new_page()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrongs.append(str(error)))
        page.on("request", self._asked)
        page.on("dialog", self._dialog)
        await page.goto(path)
        return page

    async def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        await dialog.accept()

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.wrongs.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.wrongs.append(f"asked {request.url}")


@asynccontextmanager
async def browsing(admin_port: int) -> AsyncIterator[Browser]:
    async with playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        browser = Browser(f"http://127.0.0.1:{admin_port}", chromium)
        yield browser
        await chromium.close()

        assert [] == browser.wrongs
