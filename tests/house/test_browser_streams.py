"""What a person's program learns of a broken stream: a page of another origin in real Chromium,
and Node's fetch, each with a reader that pauses 100 ms at each read.

An abort would cost such a reader what is still queued for it, and the error with it.
"""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from proxy.demo import backend
from tests.house.fault_upstream import status
from tests.house.house import House
from tests.house.streams import stream

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NODE = shutil.which("node")
FLAGS = [
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
READER = Path(__file__).with_name("reader.mjs")
EVENT = "data: " + "x" * 1000 + "\n\n"
MANY = [EVENT] * 400
CORS = {"cors": {"origins": ["*"]}}
STALL = {"timeouts": {"gap": "300ms"}}


def needs(found: object, what: str) -> None:
    """Skip without it; but CI has everything."""
    if not found and os.environ.get("CI") != "true":
        pytest.skip(f"install {what}")
    assert found, f"CI must have it: {what}"


@pytest.fixture
async def browser():
    needs(CHROMIUM, "chromium: apt-get install chromium")
    needs(importlib.util.find_spec("playwright"), "playwright: pip install playwright")
    from playwright.async_api import async_playwright

    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser, upstream):
    """A page of the upstream's origin; Sidelight is another."""
    upstream.on("/page", status(200, "Content-Type: text/html", body=b"<!doctype html>"))
    page = await browser.new_page()
    await page.goto(f"{upstream.url}/page")
    return page


async def read_in_page(page, url: str) -> dict:
    source = READER.read_text().replace("export ", "")
    return await page.evaluate(f"(url) => {{ {source}; return read(url); }}".replace(TAIL, ""), url)


TAIL = READER.read_text().rpartition("\n\n")[2]


async def read_in_node(_page, url: str) -> dict:
    needs(NODE, "Node 18 or newer: apt-get install nodejs")
    node = await asyncio.create_subprocess_exec(
        *(str(NODE), str(READER), url), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await node.communicate()
    return json.loads(said)


def learns(learnt: dict, code: str, *, events: int = len(MANY)) -> None:
    """Every event that was sent, then the error with the Reference ID, and no exception."""
    error = json.loads(learnt["text"].rpartition("event: error\ndata: ")[2])

    assert (200, None) == (learnt["status"], learnt["threw"])
    assert (code, learnt["id"]) == (error["error"], error["request_id"])
    assert learnt["id"]
    assert events == learnt["text"].count(EVENT)


BREAKS = pytest.mark.parametrize(
    ("then", "settings", "code"),
    [
        pytest.param("silent", STALL, "stream_stalled", id="stall"),
        pytest.param("cut", {}, "stream_truncated", id="cut"),
        pytest.param("reset", {}, "stream_reset", id="reset"),
    ],
)


@BREAKS
async def test_a_page_of_another_origin_learns_what_broke(
    upstream, house, page, then, settings, code
):
    house = await house(**CORS, **settings)
    upstream.on("/chat", stream(*MANY, 0.05, then=then))
    learns(await read_in_page(page, f"http://127.0.0.1:{house.port}/chat"), code)


@BREAKS
async def test_node_learns_what_broke(upstream, process, then, settings, code):
    process = await process(**settings)
    upstream.on("/chat", stream(*MANY, 0.05, then=then))
    learns(await read_in_node(None, f"http://127.0.0.1:{process.port}/chat"), code)


async def drained(upstream, process, read, page) -> dict:
    process = await process(**CORS, drain={"readiness_delay": "0s", "limit": "200ms"})
    upstream.on("/chat", stream(*MANY, then="silent"))
    reading = asyncio.create_task(read(page, f"http://127.0.0.1:{process.port}/chat"))
    async with asyncio.timeout(10):
        while not any(seen.path == "/chat" for seen in upstream.seen):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    process.tell(signal.SIGTERM)
    assert 0 == await process.ended()
    return await reading


async def test_a_page_of_another_origin_learns_of_a_drain(upstream, process, page):
    learns(await drained(upstream, process, read_in_page, page), "drain_cut")


async def test_node_learns_of_a_drain(upstream, process):
    learns(await drained(upstream, process, read_in_node, None), "drain_cut")


async def test_a_page_learns_why_it_was_refused(upstream, house, page):
    house = await house(**CORS)
    await upstream.refuse()
    learnt = await read_in_page(page, f"http://127.0.0.1:{house.port}/chat")

    assert (502, "connect_refused") == (learnt["status"], json.loads(learnt["text"])["error"])
    assert learnt["id"] == json.loads(learnt["text"])["request_id"]


@pytest.fixture
async def demo(browser, monkeypatch):
    """The demo page through a proxy whose clocks are short."""
    monkeypatch.setattr(backend, "WORD_PAUSE", 0.005)
    monkeypatch.setattr(backend, "SLOW_PAUSE", 0.03)
    runner = await backend.serve_demo(port=0)
    house = await House.start(runner, timeouts={"gap": "300ms"})
    page = await browser.new_page()
    await page.goto(f"http://127.0.0.1:{house.port}/")
    yield page
    await page.close()
    await house.stop()
    await runner.stop()


@pytest.mark.parametrize(
    ("button", "words"),
    [
        pytest.param("stall", "The answer stopped arriving.", id="stall"),
        pytest.param("cut", "The answer was cut off.", id="cut"),
        pytest.param("fail", "The service reported an error.", id="fail"),
    ],
)
async def test_the_demo_page_shows_what_broke_and_its_reference_id(demo, button, words):
    async with demo.expect_response("**/api/chat") as response:
        await demo.click(f"[data-mode={button}]")
    told = demo.locator(".sidelight-error")
    await told.wait_for(timeout=5000)
    headers = await (await response.value).all_headers()

    assert words in await told.inner_text()
    assert headers["x-request-id"] == await told.locator("code").inner_text()


@pytest.mark.parametrize("button", ["normal", "slow"])
async def test_the_demo_page_shows_a_good_answer(demo, button):
    await demo.click(f"[data-mode={button}]")
    await demo.get_by_text("pass through the proxy.").wait_for(timeout=5000)

    assert 0 == await demo.locator(".sidelight-error").count()
