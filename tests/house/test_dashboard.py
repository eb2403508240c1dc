"""The dashboard in a real browser, in front of a house in which something goes wrong."""

import asyncio

import pytest

from tests.house.browser import PHONE, browsing
from tests.house.fault_upstream import close_before_head, status

SCRIPT = "<script>alert('canary')</script>"
STREAM = {"timeouts": {"gap": "150ms"}}
PAGES = ["/", "/requests", "/errors", "/alerts", "/routes", "/runbooks/stream_stalled"]


async def falls_silent(turn):
    await turn.begin_chunked("Content-Type: text/event-stream")
    for n in range(3):
        await turn.chunk(f"data: {n}\n\n")
    await turn.gone()


async def stalled(house, upstream, *headers: str) -> str:
    """The Reference ID of a stream that fell silent."""
    upstream.on("/", falls_silent)
    answer = await house.fetch("/", *headers)
    return answer.header("X-Request-ID")


async def test_a_reference_id_leads_to_the_cause_in_one_look_up(upstream, house) -> None:
    house = await house(**STREAM)
    reference = await stalled(house, upstream)
    async with browsing(house.app.admin_port) as browser:
        page = await browser.open("/")
        await page.keyboard.press("/")
        await page.keyboard.type(reference)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/requests/{reference}")

        diagnosis = await page.inner_text(".diagnosis")
        assert "sent 3 events" in diagnosis
        assert "the gap limit of 150 ms ended the answer" in diagnosis
        assert "stream_stalled" in await page.inner_text("h1")
        assert await page.locator("svg.timeline rect.bar.silence").is_visible()
        assert "stream_stalled" in await page.inner_text("aside.runbook h2")


async def test_trouble_appears_and_the_focus_stays(upstream, house) -> None:
    house = await house(retry={"attempts": 1}, breaker={"consecutive": 3})
    async with browsing(house.app.admin_port) as browser:
        page = await browser.open("/")
        assert "All is well" == await page.inner_text(".verdict h1")
        await page.focus("section table a")
        upstream.on("/", status(502))
        for _ in range(3):
            await house.fetch()
        await page.wait_for_selector(".alert")  # rows have come in above

        assert "circuit all is open" in await page.inner_text(".verdict")
        assert "all" == await page.evaluate("document.activeElement.textContent")


async def test_a_circuit_is_opened_by_hand_after_a_question(upstream, house) -> None:
    house = await house()
    async with browsing(house.app.admin_port) as browser:
        page = await browser.open("/routes")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Open").click()

        assert ["Refuse all requests of this route? (all)"] == browser.dialogs
        assert "open" == await house.breaker()
        assert 503 == (await house.fetch()).status
        assert "manual" == (await house.event("breaker_opened"))["cause"]


async def test_nothing_a_client_sent_is_ever_run(upstream, house) -> None:
    fields = {"fields": {"who": {"header": "X-Who"}}}
    house = await house(observe=fields, retry={"attempts": 1})
    upstream.on("/x", close_before_head)
    answer = await house.fetch(f"/x?q={SCRIPT}", f"User-Agent: {SCRIPT}", f"X-Who: {SCRIPT}")
    reference = answer.header("X-Request-ID")
    async with browsing(house.app.admin_port) as browser:
        counted = [f"/requests?group={by}" for by in ("path", "agent", "field.who")]
        stories = [f"/requests/{reference}", f"/requests?field.who={SCRIPT}"]
        for path in (*PAGES, *counted, *stories):
            page = await browser.open(path)
            await page.wait_for_timeout(50)

            assert 1 == await page.locator("script").count()
        assert "canary" in await page.inner_text("body")
        assert [] == browser.dialogs


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_every_page_fits_a_telephone(upstream, house, scheme: str) -> None:
    house = await house(**STREAM)
    reference = await stalled(house, upstream, f"User-Agent: {'long' * 60}")
    async with browsing(house.app.admin_port) as browser:
        for path in (*PAGES, f"/requests/{reference}"):
            page = await browser.open(path, viewport=PHONE, color_scheme=scheme)

            width = "document.documentElement.scrollWidth"
            assert await page.evaluate(width) <= PHONE["width"], path


async def test_without_scripts_everything_can_be_read_and_nothing_be_changed(upstream, house):
    house = await house(**STREAM)
    reference = await stalled(house, upstream)
    async with browsing(house.app.admin_port) as browser:
        page = await browser.open("/routes", java_script_enabled=False)
        assert not await page.get_by_role("button", name="Open").is_visible()
        await page.fill("#search", reference)
        await page.get_by_role("button", name="Explain").click()

        assert "sent 3 events" in await page.inner_text(".diagnosis")


async def test_a_page_that_has_lost_its_server_says_so(upstream, house) -> None:
    house = await house()
    async with browsing(house.app.admin_port) as browser:
        page = await browser.open("/")
        await page.route("**/live", lambda route: asyncio.ensure_future(route.abort()))
        await page.wait_for_selector("#lost", state="visible", timeout=10_000)
        await page.unroute("**/live")
        await page.wait_for_selector("#lost", state="hidden", timeout=10_000)


async def test_with_a_token_a_browser_signs_in_and_out(upstream, house) -> None:
    token = "sixteen-letters!"
    house = await house(admin={"token": token})
    async with browsing(house.app.admin_port) as browser:
        page = await browser.open("/errors")
        assert "Sign in" == await page.inner_text("h1")
        await page.fill("#token", token)
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".verdict")
        cookie = (await page.context.cookies())[0]
        assert (True, "Strict") == (cookie["httpOnly"], cookie["sameSite"])
        assert token not in cookie["value"]
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_selector("#token")
        await page.goto("/errors")

        assert "Sign in" == await page.inner_text("h1")
