"""How the dashboard looks in a real browser: wide and on a telephone, light and dark."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.house.admin import ask
from tests.house.browser import PHONE, browsing
from tests.house.fault_upstream import close_before_head, status

DESK = {"width": 1280, "height": 900}
TABLET = {"width": 768, "height": 1024}
ROUTE = "a-route-with-a-rather-long-name-that-somebody-chose"
LISTS = ["/requests", "/requests?group=path", "/requests?group=field.who", "/requests?status=x"]
PAGES = ["/", *LISTS, "/requests/no-such-story", "/errors", "/alerts", "/routes",
         "/runbooks/stream_stalled"]  # fmt: skip

TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
CUT_TABLES = """[...document.querySelectorAll(".scroll")]
  .filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.querySelector("caption").textContent)"""
WHOLE = "td.number > div, td .whole:not(:has(meter))"
WRAPPED = f"""[...document.querySelectorAll("{WHOLE}")].filter((cell) => {{
  const range = document.createRange();
  range.selectNodeContents(cell);
  return new Set([...range.getClientRects()].map((rect) => Math.round(rect.top))).size > 1;
}}).map((cell) => cell.textContent)"""
LONGER = """document.querySelectorAll("p, li, dd, h1, h2").forEach((e) => {
  const words = [...e.childNodes].find((n) => n.nodeType === 3 && n.data.trim());
  if (words && e.checkVisibility()) words.data = "x".repeat(300);
})"""
"""Nobody knows what a text names: an agent, a path."""
PALE = """(() => {
  const channels = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = channels(color).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if ((channels(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const words = [...e.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
    if (!words.length || !e.checkVisibility() || e.closest(".bar, .words")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(e.closest("svg") ? style.fill : style.color), light(ground(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) found.push(`${e.tagName} ${words[0].data.trim()}: ${contrast.toFixed(2)}`);
  }
  return found;
})()"""


@asynccontextmanager
async def trouble(house, upstream) -> AsyncIterator[tuple[Any, list[str]]]:
    """A browser, and the pages of a house in which much has gone wrong under long names; its
    circuit is half open, so that all three orders are there."""
    breaker = {"consecutive": 3, "cool_down": "1ms"}
    house = await house(
        route={"name": ROUTE}, retry={"attempts": 1}, breaker=breaker,
        observe={"fields": {"who": {"header": "X-Who"}}}, alerts={"every": "10ms"},
    )  # fmt: skip
    upstream.on("/gone", close_before_head)
    upstream.on("/missing", status(404))
    upstream.on("/bad", status(502))
    who = f"X-Who: {'somebody-' * 12}"
    for path in ("/fine", "/missing", "/missing", "/missing", f"/{'long' * 40}", "/gone"):
        gone = await house.fetch(path, who)
    for _ in range(4):
        bad = await house.fetch("/bad", who, f"User-Agent: {'agent' * 40}")
    assert await house.event("alert_raised")
    groups = (await ask(house.app.admin_port, "/api/errors")).json()["groups"]
    stories = [f"/requests/{answer.header('X-Request-ID')}" for answer in (bad, gone)]
    more = [f"/errors/{groups[0]['fingerprint']}", *stories]
    async with browsing(house.app.admin_port) as browser:
        yield browser, [*PAGES, *more]


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_every_page_can_be_read_at_every_width(upstream, house, scheme: str) -> None:
    async with trouble(house, upstream) as (browser, paths):
        page = await browser.open("/", color_scheme=scheme)
        for path in paths:
            await page.goto(path)
            for size in (PHONE, TABLET, DESK):
                await page.set_viewport_size(size)
                where = f"{path} at {size['width']}"

                assert await page.evaluate(TOO_WIDE) <= 0, f"{where} scrolls sideways"
                assert [] == await page.evaluate(WRAPPED), f"{where} wraps a number"
                assert [] == await page.evaluate(PALE), f"{where} is too pale"
                if size is not TABLET:
                    assert [] == await page.evaluate(CUT_TABLES), f"{where} cuts a table"
            await page.set_viewport_size(PHONE)
            await page.evaluate(LONGER)

            assert await page.evaluate(TOO_WIDE) <= 0, f"{path} has no end for a long word"


async def test_what_is_wrong_leads_to_a_place_that_is_there(upstream, house) -> None:
    async with trouble(house, upstream) as (browser, _):
        page = await browser.open("/")
        links = await page.eval_on_selector_all(
            ".verdict a, .signals a, .alert a", "all => all.map((a) => a.getAttribute('href'))"
        )
        assert {f"/routes#route-{ROUTE}", "/alerts"} <= set(links)
        for link in links:
            answer = await page.goto(link)
            assert answer is None or answer.status == 200, link  # None: on the same page

            if fragment := link.partition("#")[2]:
                assert await page.locator(f"[id='{fragment}']").is_visible(), link


async def test_a_telephone_shows_a_timeline_to_its_end(upstream, house) -> None:
    async with trouble(house, upstream) as (browser, paths):
        page = await browser.open(paths[-1], viewport=PHONE)
        frame = await page.locator("svg.timeline").bounding_box()
        for part in (".end", ".lane", ".tick"):
            for each in await page.locator(f"svg.timeline {part}").all():
                box = await each.bounding_box()

                assert frame["x"] - 1 <= box["x"], part
                assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1, part


async def test_a_chart_tells_its_values_without_scripts(upstream, house) -> None:
    async with trouble(house, upstream) as (browser, _):
        page = await browser.open("/", java_script_enabled=False)

        assert 3 == await page.locator(".signals .chart").count()
        assert "now" in await page.inner_text(".signals .times >> nth=0")
        titles = await page.locator(".signals .chart >> nth=0 >> title").all_text_contents()
        assert 10 == sum(int(title.partition(",")[0].partition(" ")[0]) for title in titles)
