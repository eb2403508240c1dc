"""The cause that only this record, or only what lies around it, can name: among good traffic."""

import asyncio
import ssl

import pytest

from tests.authority import Authority
from tests.house.fault_upstream import reset_before_head, sse, status
from tests.house.neighbourhood import USERS, neighbourhood

UPGRADE = ("Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
MARKED = {"stream": {"end_marker": {"mode": "warn", "data": "[DONE]"}}}
ITEM = "it is about this item"
WHOLE = "as a whole"


async def test_kept_connections_that_idled_for_too_long(upstream, house):
    """Not the item and not the method, though only these ended so."""
    settings = {"ejection": {"failures": 1000}}
    breaker = {"enabled": False}
    async with neighbourhood(house, upstream, upstream=settings, breaker=breaker) as around:
        await around.well(20)
        around.on("/orders", reset_before_head)
        for n in range(5):
            await around.well(4)
            around.house.have_idled(600.0)
            bad = await around.ask("/orders", USERS[n], method="POST", body=b"{}")
            around.house.have_idled(-600.0)
        story = await around.story(bad)

    assert story["code"] in ("stale_connection", "upstream_reset")
    assert "closed by the other side when they have idled" in story["likely"]
    assert "`pool.keep_alive`" in story["next_check"]
    assert ITEM not in story["diagnosis"]


@pytest.mark.parametrize(
    ("asked", "proven", "likely"),
    [
        pytest.param(
            ("Connection: Upgrade", "Sec-WebSocket-Version: 8"),
            "upgrade to websocket version 8; the answer names version 13",
            "another version of WebSocket", id="another version",
        ),
        pytest.param(
            ("Sec-WebSocket-Version: 13",),
            "but without `Connection: Upgrade`, so that it was a plain request",
            "drops the header `Connection`", id="a header that was dropped",
        ),
    ],
)  # fmt: skip
async def test_an_upgrade_that_was_not_answered(upstream, house, asked, proven, likely):
    async with neighbourhood(house, upstream, route={"websocket": True}) as around:
        around.on("/ws", status(426, "Sec-WebSocket-Version: 13"))
        await around.well(10)
        for _ in range(4):
            bad = await around.ask("/ws", "u1", "old/1", more=(*UPGRADE, *asked))
        story = await around.story(bad)

    assert proven in story["proven"]
    assert likely in story["likely"]
    assert "upgrade_refused" == story["runbook"]


async def test_a_stream_without_its_end_marker_is_not_said_to_be_well(upstream, house):
    async with neighbourhood(house, upstream, route=MARKED) as around:
        around.on("/chat", sse("data: half\n\n"))
        await around.well(10)
        story = await around.story(await around.ask("/chat", "u1", method="POST", body=b"{}"))

    assert "completed" == story["code"]
    assert "without the end marker that its route looks for" in story["proven"]
    assert "no_end_marker" == story["runbook"]
    assert "did not fail" not in story["likely"]


async def test_an_answer_that_a_browser_hides_from_its_page(upstream, house):
    async with neighbourhood(house, upstream, cors={"origins": ["https://a.example"]}) as around:
        await around.well(10)
        hidden = await around.ask("/well", "u1", more=("Origin: https://b.example",))
        shown = await around.ask("/well", "u1", more=("Origin: https://a.example",))
        stories = [await around.story(each) for each in (hidden, shown)]

    assert "https://b.example may not read the answer" == stories[0]["cors"]
    assert ["not_readable", "completed"] == [story["runbook"] for story in stories]


async def test_a_method_that_only_one_agent_asks_with(upstream, house):
    """No endpoint was asked, so that none is blamed."""
    async with neighbourhood(house, upstream, route={"match": {"path": "/well/{n}"}}) as around:
        await around.well(10)
        for n in range(4):
            bad = await around.ask(f"/else/{n}", USERS[n], "bot/2")
        story = await around.story(bad)

    assert "route_not_found" == story["code"]
    assert WHOLE not in story["likely"]
    assert "upstream" not in story["next_check"]


async def test_why_tls_failed_is_a_fact_of_its_own(upstream, house, tmp_path):
    authority, served = Authority(tmp_path), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.server(days=-1)
    served.load_cert_chain(pair.certificate, pair.key)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    settings = {
        "endpoints": [f"https://localhost:{port}"], "tls": {"ca_file": str(authority.certificate)},
    }  # fmt: skip
    async with neighbourhood(house, upstream, upstream=settings) as around:
        story = await around.story(await around.ask("/", "u1"))
    server.close()

    assert "certificate_expired" == story["attempts"][0]["tls_reason"]
    assert "its certificate has expired" in story["proven"]
    assert story["next_check"].startswith("Renew the certificate")


async def test_a_rate_limit_that_another_has_spent(upstream, house):
    route = {"rate_limit": [{"rate": "12/60s", "burst": 12}]}
    async with neighbourhood(house, upstream, route=route) as around:
        for n in range(12):
            await around.ask(f"/{n}", "u9")
        story = await around.story(await around.ask("/api", "u1"))

    assert "rate_limited" == story["code"]
    assert (
        "Another one spent what both share: 12 of the 12 let in in the minute before were those "
        "of user_id u9."
    ) == story["likely"]


async def test_endpoints_that_break_off_alike_are_compared_together(upstream, house):
    """Whether the request was still being sent when they did is chance."""
    settings = {"ejection": {"failures": 1000}}
    async with neighbourhood(house, upstream, upstream=settings) as around:
        around.on("/bad", reset_before_head)
        await around.well(20)
        for n in range(4):
            body = b"x" * (1 << 20 if n % 2 else 9)
            bad = await around.ask("/bad", USERS[n], method="POST", body=body)
        story = await around.story(bad)

    assert story["neighbours"]["alike"] >= 3
    assert "ended as upstream_reset or upstream_write_failed" in story["neighbours"]["words"][0]


async def test_a_name_that_leads_elsewhere_since_a_moment(upstream, house):
    name = f"http://localhost:{upstream.port}"
    retry = {"attempts": 1}
    async with neighbourhood(
        house, upstream, upstream={"endpoints": [name]}, retry=retry
    ) as around:
        await around.well(5)
        well = await around.story(await around.ask("/well", "u1"))
        await upstream.refuse()
        addresses = around.house.app.upstreams["chat"].endpoints.all[0].addresses
        addresses._keep(["127.0.0.9"])  # the next answer of the DNS
        bad = await around.story(await around.ask("/well", "u1"))

    assert "dns" not in well["attempts"][0]  # it had a kept connection
    assert ["127.0.0.9"] == bad["attempts"][0]["dns"]["addresses"]
    assert "127.0.0.1" in bad["attempts"][0]["dns"]["before"]
    assert "Its name leads to 127.0.0.9 since " in bad["proven"]
    assert "The answer of the DNS has changed" in bad["likely"]
    assert "127.0.0.9" in bad["next_check"]
