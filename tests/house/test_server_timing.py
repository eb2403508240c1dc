"""`Server-Timing`: where the time went, for the tools of a browser."""

import asyncio
import re

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import stalled

ROUNDED = 2
"""Milliseconds by which a timer may be early: loops round their clocks."""


async def slow(turn):
    await asyncio.sleep(0.05)
    await turn.answer()


async def test_an_answer_says_what_the_upstream_took_and_what_sidelight_did(upstream, house):
    house = await house(route={"server_timing": True})
    upstream.on("/", slow)
    began = now()
    answer = await house.fetch()
    waited = 50 - 1000 * stalled(began, now())  # a stall of the machine is nobody's wait
    timing = answer.header("Server-Timing")
    event = await house.event_of(answer)
    upstream_ms, proxy_ms = map(
        float, re.fullmatch(r"upstream;dur=([\d.]+), proxy;dur=([\d.]+)", timing).groups()
    )

    assert waited - ROUNDED <= upstream_ms <= event["upstream_ms"] + ROUNDED
    assert 0 <= proxy_ms <= event["overhead_ms"] + ROUNDED


async def test_it_says_so_only_where_the_route_asks_for_it(upstream, house):
    assert (await (await house()).fetch()).header("Server-Timing") is None


async def test_a_pause_before_a_retry_is_the_proxys(upstream, house):
    async def busy(turn):
        await turn.answer(503)

    retry = {"first_pause": "60ms", "max_pause": "60ms", "jitter": 0}
    house = await house(route={"server_timing": True}, retry=retry)
    upstream.on("/", busy, slow)
    timing = (await house.fetch()).header("Server-Timing")

    assert float(timing.rpartition("=")[2]) >= 60 - ROUNDED


PAGE = "https://widget.example"


@pytest.mark.parametrize(
    ("rule", "origin", "seen"),
    [
        pytest.param({"origins": [PAGE]}, PAGE, PAGE, id="a page that may read"),
        pytest.param({"origins": [PAGE]}, "https://evil.example", None, id="another page"),
        pytest.param({"origins": ["*"]}, "https://evil.example", "*", id="open to all"),
        pytest.param({}, PAGE, None, id="CORS is the upstream's"),
    ],
)
async def test_a_page_may_see_the_timing_where_it_may_read(upstream, house, rule, origin, seen):
    house = await house(cors=rule, route={"server_timing": True})
    answer = await house.fetch("/", f"Origin: {origin}")

    assert answer.header("Server-Timing")
    assert seen == answer.header("Timing-Allow-Origin")


async def test_without_timing_nothing_is_granted(upstream, house):
    house = await house(cors={"origins": ["*"]})

    assert (await house.fetch("/", f"Origin: {PAGE}")).header("Timing-Allow-Origin") is None
