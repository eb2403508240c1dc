"""The widget client in real Chromium: the demo page of another origin, in front of every fault."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from proxy.cli import main
from proxy.demo import backend
from tests.house.browser import ARGUMENTS, CHROMIUM, playwright
from tests.house.fault_upstream import status
from tests.house.raw_client import eventually
from tests.house.streams import NDJSON, SSE, stream

WORDS = [f'data: {{"word": "{word}"}}\n\n' for word in ("one", "two", "three")]
LINES = [f'{{"word": "{word}"}}\n' for word in ("one", "two", "three")]
DONE = "event: done\ndata: {}\n\n"
LONG = "The answer was cut off. What you see is incomplete."
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def browser():
    async with playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def origin():
    """The origin of the page, which is not that of Sidelight."""
    runner = await backend.serve_demo(port=0)
    yield runner.url
    await runner.stop()


@dataclass
class Chat:
    """The demo page in front of a house."""

    page: Any
    house: Any

    @property
    def box(self) -> Any:
        return self.page.get_by_role("alert")

    async def ask(self) -> None:
        await self.page.get_by_role("button", name="Send").click()

    async def error(self) -> str:
        """The words of the box, once it is there."""
        await self.box.first.wait_for(timeout=10_000)
        return await self.box.first.inner_text()

    async def reference(self) -> str:
        return await self.box.first.locator("code").inner_text()


@pytest.fixture
async def chat(browser, origin, house):
    """Starts a house and opens the page: `await chat(timeouts={"gap": "300ms"})`."""

    async def start(color_scheme: str = "light", **settings: object) -> Chat:
        running = await house(cors={"origins": [origin]}, **settings)
        context = await browser.new_context(color_scheme=color_scheme)
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        await page.goto(f"{origin}/?port={running.port}")
        return Chat(page, running)

    return start


async def explained(chat: Chat, capsys) -> str:
    """What `sidelight explain` says of the ID in the box."""
    admin = f"http://127.0.0.1:{chat.house.app.admin_port}"
    code = await asyncio.to_thread(main, ["explain", "--admin", admin, await chat.reference()])

    assert 0 == code
    return capsys.readouterr().out


async def test_a_good_answer_streams(upstream, chat):
    chat = await chat()
    upstream.on("/api/chat", stream(*WORDS, DONE))
    await chat.ask()
    await chat.page.get_by_text("one two three").wait_for(timeout=5000)

    assert 0 == await chat.box.count()
    assert "POST" == upstream.seen[-1].method


@pytest.mark.parametrize(
    ("script", "settings", "code", "words"),
    [
        pytest.param(
            stream(*WORDS, then="silent"),
            {"timeouts": {"gap": "300ms"}},
            "stream_stalled",
            "The answer stopped arriving. What you see may be incomplete.",
            id="stalled",
        ),
        pytest.param(
            stream(*WORDS, 0.05, then="cut"), {}, "stream_truncated", LONG, id="cut"
        ),
        pytest.param(
            stream(*WORDS, 0.05, then="cut"),
            {"route": {"stream": {"errors": "openai"}}},
            "stream_truncated",
            LONG,
            id="cut, told in the form of OpenAI",
        ),
        pytest.param(
            stream(*LINES, 0.05, kind=NDJSON, then="cut"),
            {},
            "stream_truncated",
            LONG,
            id="cut, told in a line of NDJSON",
        ),
    ],
)  # fmt: skip
async def test_a_broken_stream_shows_what_came_and_what_broke(
    upstream, chat, capsys, script, settings, code, words
):
    chat = await chat(**settings)
    upstream.on("/api/chat", script)
    await chat.ask()

    assert words in await chat.error()
    assert await chat.page.get_by_text("one two three").is_visible()
    assert code in await explained(chat, capsys)
    assert 1 == len(upstream.seen), "each reconnect would be a new model call"


async def test_a_masked_500_shows_our_words(upstream, chat, capsys):
    chat = await chat(route={"mask_upstream_errors": True})
    upstream.on("/api/chat", status(500, body=b"Traceback (most recent call last)"))
    await chat.ask()

    assert "The service reported an error." in await chat.error()
    assert "upstream_error" in await explained(chat, capsys)


async def test_an_upstream_that_is_down_is_asked_for_once_more_and_then_told(
    upstream, chat, capsys
):
    chat = await chat(retry={"attempts": 1})
    await upstream.refuse()
    await chat.ask()

    assert "The service cannot be reached right now." in await chat.error()
    assert "connect_refused" in await explained(chat, capsys)
    assert [await chat.reference()] * 2 == [e["request_id"] for e in chat.house.all(method="POST")]


async def test_an_open_circuit_says_when_to_come_back(upstream, chat, capsys):
    rule = {"consecutive": 1, "cool_down": "30s", "jitter": 0}
    chat = await chat(retry={"attempts": 1}, breaker=rule)
    upstream.on("/other", status(502))
    await chat.house.fetch("/other")
    await chat.ask()

    assert "The service is temporarily unavailable. Please try again in " in await chat.error()
    assert "circuit_open" in await explained(chat, capsys)


async def test_the_id_is_copied_and_another_try_gives_the_focus_back(upstream, chat):
    chat = await chat()
    upstream.on("/api/chat", stream(*WORDS, 0.05, then="cut"), stream(*WORDS, DONE))
    await chat.page.get_by_label("Message").focus()
    await chat.page.keyboard.press("Enter")
    await chat.error()
    reference = await chat.reference()
    copy = chat.box.get_by_role("button", name="Copy ID")
    await copy.focus()
    await chat.page.keyboard.press("Enter")
    await chat.box.get_by_role("button", name="Copied").wait_for(timeout=5000)

    assert reference == await chat.page.evaluate("navigator.clipboard.readText()")

    await chat.page.keyboard.press("Tab")
    await chat.page.keyboard.press("Enter")
    await chat.page.get_by_text("one two three").last.wait_for(timeout=5000)

    assert "message" == await chat.page.evaluate("document.activeElement.id")
    assert 0 == await chat.box.count()


IN_THE_BOX = """async ([message, focus]) => {
    const { SidelightError, createErrorUI } = await import("/sidelight.js");
    const error = new SidelightError("x", message, { message, retryable: true });
    const labels = { retry: message };
    createErrorUI(error, { container: document.body, focus, onRetry() {}, labels });
}"""
RATIO = """(box) => {
    const light = (color) => {
        const parts = color.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
        const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = parts.map(linear);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    return [box, ...box.querySelectorAll("button")].map((element) => {
        const { color, backgroundColor } = getComputedStyle(element);
        const [low, high] = [light(color), light(backgroundColor)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    });
}"""


async def test_nothing_in_the_box_is_ever_markup(chat):
    chat = await chat()
    await chat.page.evaluate(IN_THE_BOX, [MARKUP, False])

    assert MARKUP in await chat.error()
    assert 0 == await chat.page.locator("img").count()
    assert 0 == await chat.box.locator("code").count(), "this is no Reference ID"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_box_can_be_read_and_takes_the_focus_where_told(chat, scheme):
    chat = await chat(color_scheme=scheme)
    await chat.page.evaluate(IN_THE_BOX, ["id-1", True])
    ratios = await chat.box.evaluate(RATIO)

    assert 3 == len(ratios)
    assert min(ratios) >= 4.5, "WCAG 2.2, 1.4.3"
    assert "alert" == await chat.page.evaluate("document.activeElement.role")


async def test_a_strict_policy_of_content_lets_the_box_look_as_it_should(upstream, browser, chat):
    """Styles are set by script: `style-src` has no say in them."""
    policy = "Content-Security-Policy: default-src 'none'; script-src 'self'"
    html, code = "Content-Type: text/html", "Content-Type: text/javascript"
    page = b"<!doctype html><script type=module src=/page.js></script>"
    call = f"await ({IN_THE_BOX})(['id-1', false])"
    widget = backend.resources.files("proxy.demo").joinpath("sidelight.js").read_bytes()  # type: ignore[attr-defined]
    upstream.on("/page", status(200, html, policy, body=page))
    upstream.on("/page.js", status(200, code, body=call.encode()))
    upstream.on("/sidelight.js", status(200, code, body=widget))
    opened = await browser.new_page()
    await opened.goto(f"{upstream.url}/page")
    width = "(box) => getComputedStyle(box).borderLeftWidth"

    assert "4px" == await opened.get_by_role("alert").evaluate(width)


EVENT_SOURCE = """(url) => new Promise((resolve) => {
    const source = new EventSource(url), learnt = [];
    source.onerror = (event) => {
        learnt.push({ state: source.readyState, said: event.data ?? event.status ?? null });
        if (learnt.length < WANTED && source.readyState < 2) return;
        source.close();
        resolve(learnt);
    };
})"""


async def test_an_event_source_learns_nothing_of_a_refusal(upstream, chat):
    """As the page on the client says."""
    chat = await chat(retry={"attempts": 1})
    await upstream.refuse()
    url = f"http://127.0.0.1:{chat.house.port}/events"
    learnt = await chat.page.evaluate(EVENT_SOURCE.replace("WANTED", "9"), url)

    assert [{"state": 2, "said": None}] == learnt


async def test_an_event_source_asks_again_by_itself_after_an_error_in_the_stream(upstream, chat):
    """As the page on the client says; each time would be a model call."""
    chat = await chat()
    upstream.on("/events", stream("retry: 10\n\n", *WORDS, 0.05, then="cut", kind=SSE))
    url = f"http://127.0.0.1:{chat.house.port}/events"
    await chat.page.evaluate(EVENT_SOURCE.replace("WANTED", "4"), url)
    await eventually(lambda: len(upstream.seen) > 1)

    assert {"/events"} == {seen.path for seen in upstream.seen}
