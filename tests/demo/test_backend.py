"""The demo backend does what its modes say."""

import asyncio
import json

import aiohttp
import pytest

from proxy.demo import backend


@pytest.fixture
async def demo(monkeypatch):
    monkeypatch.setattr(backend, "WORD_PAUSE", 0.0)
    monkeypatch.setattr(backend, "SLOW_PAUSE", 0.001)
    runner = await backend.serve_demo("127.0.0.1", 0)
    async with aiohttp.ClientSession(runner.url) as session:
        yield session
    await runner.stop()


def events(text: str) -> list[str]:
    return [event for event in text.split("\n\n") if event]


@pytest.mark.parametrize("mode", ["normal", "slow"])
async def test_an_answer_streams_word_by_word_and_says_when_it_is_done(demo, mode):
    async with demo.post("/api/chat", json={"message": "two words", "mode": mode}) as answer:
        got = events(await answer.text())

    assert "text/event-stream" == answer.content_type
    assert 'id: 3\ndata: {"word": "two"}' == got[2]
    assert "event: done\ndata: {}" == got[-1]


@pytest.mark.parametrize("path", ["/api/chat", "/api/echo"])
async def test_fail_is_a_500_with_json(demo, path):
    async with demo.post(path, json={"mode": "fail"}) as answer:
        assert (500, "model_failed") == (answer.status, (await answer.json())["error"])


@pytest.mark.parametrize("path", ["/api/chat", "/api/echo"])
async def test_cut_ends_before_the_framing_does(demo, path):
    async with demo.post(f"{path}?mode=cut", json={}) as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.text()


async def test_stall_is_silent_after_the_fifth_word(demo):
    async with demo.post("/api/chat?mode=stall", json={}) as answer:
        for _ in range(backend.TURNING_POINT):
            await answer.content.readuntil(b"\n\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.content.readany(), 0.05)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_echo_says_what_it_was_sent(demo, method):
    body = {"message": "hi"} if method == "POST" else None
    async with demo.request(method, "/api/echo?a=b", json=body) as answer:
        said = json.loads(await answer.text())

    expected = {"method": method, "path": "/api/echo?a=b", "message": "hi" if body else "nothing"}
    assert expected == said


async def test_health_is_ok(demo):
    async with demo.get("/api/health") as answer:
        assert {"status": "ok"} == await answer.json()


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [("?mode=odd", b"{}", "unknown_mode"), ("", b"{", "not_json")],
)
async def test_what_it_does_not_understand_is_refused(demo, query, body, code):
    headers = {"Content-Type": "application/json"}
    async with demo.post(f"/api/chat{query}", data=body, headers=headers) as answer:
        assert (400, code) == (answer.status, (await answer.json())["error"])


async def test_the_page_asks_nobody_outside(demo):
    async with demo.get("/") as answer:
        page = await answer.text()

    assert "text/html" == answer.content_type
    assert "http" not in page.lower().replace("<!doctype html>", "")
    assert all(f'data-mode="{mode}"' in page for mode in backend.MODES)


async def test_the_page_comes_with_the_widget_client(demo):
    async with demo.get("/sidelight.js") as answer:
        assert "text/javascript" == answer.content_type
        assert "export function createErrorUI" in await answer.text()
