"""Header rules of a route, both ways, in whatever way its answers come."""

import pytest

from tests.house.admin import ask
from tests.house.fault_upstream import raw, status
from tests.house.raw_client import parse_head, request
from tests.house.test_websocket import ASK

KEY = "s3cret-canary"
RULES = {
    "request": {
        "set": {"X-Api-Key": KEY, "X-Who": "${client_ip} ${request_id} ${route}"},
        "add": {"Accept": "text/x"},
        "remove": ["Cookie"],
    },
    "response": {
        "set": {"X-Frame-Options": "DENY", "X-Ref": "${request_id}", "Cache-Control": "private"},
        "add": {"Vary": "Accept"},
        "remove": ["Server", "X-Powered-By"],
    },
}
HEADERS = "Server: x\r\nX_Powered_By: y\r\nX-Frame-Options: ALLOW\r\nVary: Cookie\r\n"


def ruled(headers=RULES, **more):
    return more | {"route": {"headers": headers} | more.get("route", {})}


async def test_requests_carry_what_is_set_and_added_and_nothing_that_is_removed(upstream, house):
    house = await house(**ruled())
    forged = ("X-API-Key: forged", "X_Api_Key: forged", "Cookie: a=b", "Accept: a/b")
    answer = await house.fetch("/", *forged, "Connection: X-Api-Key")
    (seen,) = upstream.seen
    request_id = answer.header("X-Request-ID")

    assert [KEY] == [value for name, value in seen.headers if "api" in name.lower()]
    assert f"127.0.0.1 {request_id} all" == seen.header("X-Who")
    assert ["a/b", "text/x"] == seen.all("Accept")
    assert seen.header("Cookie") is None


@pytest.mark.parametrize("kind", ["plain", "stream"])
async def test_answers_too(upstream, house, kind):
    house = await house(**ruled())
    length = "Content-Length: 2\r\n\r\nok"
    chunks = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = length if kind == "plain" else chunks + "9\r\ndata: a\n\n\r\n0\r\n\r\n"
    upstream.on("/", raw(f"HTTP/1.1 200 OK\r\n{HEADERS}{body}"))
    answer = await house.fetch()

    assert ("DENY", "private") == (answer.header("X-Frame-Options"), answer.header("Cache-Control"))
    assert answer.header("X-Request-ID") == answer.header("X-Ref")
    assert ["Cookie", "Accept"] == answer.all("Vary")
    assert not {"server", "x_powered_by"} & {name.lower() for name, _ in answer.headers}


async def test_an_answer_of_ours_has_them_but_speaks_of_its_own_content(upstream, house):
    house = await house(**ruled(retry={"attempts": 1}))
    await upstream.refuse()
    answer = await house.fetch()

    assert (502, "DENY") == (answer.status, answer.header("X-Frame-Options"))
    assert answer.header("X-Request-ID") == answer.header("X-Ref")
    assert "no-store" == answer.header("Cache-Control")


async def test_a_page_keeps_its_grants_beside_them(upstream, house):
    cors = {"origins": ["https://a.example"]}
    house = await house(**ruled(cors=cors))
    upstream.on("/", status(200, "Vary: Cookie"))
    answer = await house.fetch("/", "Origin: https://a.example")

    assert "https://a.example" == answer.header("Access-Control-Allow-Origin")
    assert {"Origin", "Accept", "Cookie"} == set(answer.all("Vary"))


async def test_the_opening_of_a_websocket_as_well(upstream, house):
    house = await house(**ruled(route={"websocket": True}))
    upstream.on(
        "/",
        raw(f"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{HEADERS}\r\n"),
    )
    async with house.client() as client:
        await client.send(request("GET", "/", *ASK))
        answer = parse_head(await client.until(b"\r\n\r\n"))

    assert (101, "DENY") == (answer.status, answer.header("X-Frame-Options"))
    assert answer.header("Server") is None
    assert KEY == upstream.seen[0].header("X-Api-Key")


async def test_what_is_removed_does_not_come_in_interim_answers(upstream, house):
    house = await house(**ruled({"response": {"remove": ["Link"]}}))
    early = "HTTP/1.1 103 Early\r\nLink: </a>\r\nX-A: b\r\n\r\n"
    upstream.on("/", raw(early, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        interim = await client.until(b"\r\n\r\n")

    assert b"X-A: b" in interim
    assert b"Link" not in interim


async def test_a_secret_in_a_value_is_shown_nowhere(upstream, house):
    house = await house(**ruled(retry={"attempts": 1}))
    upstream.on("/", status(500))
    answer = await house.fetch()
    await house.event_of(answer)
    ref = answer.header("X-Request-ID")
    paths = (
        "/api/settings",
        "/api/config",
        "/config",
        "/routes",
        f"/api/requests/{ref}",
        "/health",
    )
    pages = [await ask(house.app.admin_port, path) for path in paths]

    assert any(b"X-Api-Key" in page.body for page in pages)
    assert all(KEY.encode() not in page.body for page in pages)
    assert KEY not in str(house.events)
