"""A secret that a client, an upstream or the settings let slip is found nowhere afterwards:
no log line, metric, story, page, alert, and no byte of the store.

The canaries stand where secrets stand: under names that say so, in cookies, in bodies, in the
userinfo of a URL, and as token shapes wherever a value is recorded.
"""

import asyncio
import json
import re
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest

from proxy.cli import main
from proxy.observation.secret_forms import SHAPES as SHAPES_KNOWN
from proxy.observation.secret_forms import SecretShape
from tests.house.admin import ask
from tests.house.fault_upstream import Turn, raw, reset_before_head, status
from tests.house.raw_client import RawClient, eventually, request
from tests.house.streams import stream

CANARY = "cAnArY7f3a9"
SHAPES = (
    f"sk-{CANARY}{CANARY}",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI{CANARY}.{CANARY}",
)
NAMES = ("token", "api_key", "client_secret", "password", "signature", "session", "access_token")
PATHS = ("/users/{}", "/x/{}/..")
FIELDS = {
    "fields": {
        "key": {"header": "X-Api-Key"},
        "agent": {"header": "User-Agent"},
        "thing": {"query": "token"},
        "q": {"query": "q"},
        "who": {"path": "/users/{id}"},
        "hashed": {"header": "X-Secret-Thing", "hash": True},
    }
}
BROKEN = (
    f"HTTP/1.1 200 OK\r\nX-Token: {CANARY}\r\nSet-Cookie: s={CANARY}\r\n"
    f"Content-Length: 900\r\n\r\n{CANARY}"
)
SCRIPTS = {
    "whole": status(200, f"Set-Cookie: session={CANARY}", body=CANARY.encode()),
    "their_500": status(500, f"X-Auth-Token: {CANARY}", body=CANARY.encode()),
    "their_401": status(401, f"WWW-Authenticate: Bearer {CANARY}", body=CANARY.encode()),
    "lost": reset_before_head,
    "garbage": raw(f"{CANARY} Bearer {CANARY}\r\n\r\n"),
    "bad_header": raw(f"HTTP/1.1 200 OK\r\nX-Token {CANARY}\r\n\r\n"),
    "cut": raw(BROKEN, then="close"),
    "bad_chunk": stream(f"data: {CANARY}\n\n", then="malformed"),
    "echoes_an_id": status(500, f"X-Request-ID: {SHAPES[0]}"),
}


def leaky(shape: str, number: int) -> list[bytes]:
    """Requests with a secret wherever one may stand."""
    query = "&".join(f"{name}={CANARY}" for name in NAMES)
    headers = (
        f"Authorization: Bearer {CANARY}", f"Cookie: session={CANARY}; other={CANARY}",
        f"X-Api-Key: {CANARY}", f"X-Secret-Thing: {CANARY}", f"X-CSRF-Token: {CANARY}",
        f"Proxy-Authorization: Basic {CANARY}{CANARY}", f"User-Agent: tool/1 ({shape})",
        f"Referer: http://u:{CANARY}@h/?token={CANARY}",
    )  # fmt: skip
    named = f"X-Request-ID: {shape}" if number else f"X-Request-ID: Bearer {CANARY} {shape}"
    body = CANARY.encode()
    return [
        request("POST", f"{PATHS[0].format(shape)}?{query}&q={shape}", *headers, named, body=body),
        request("GET", f"/x?q=Bearer%20{CANARY}&r=b%61r%26token%3D{CANARY}", *headers, named),
        request("GET", f"http://user:{CANARY}@house/x?token={CANARY}", *headers),
        request("GET", f"{PATHS[1].format(shape)}?{query}", f"traceparent: {shape}", *headers),
        f"GET /x?token={CANARY} HTTP/1.1\r\nHost: h\r\nX-Token : {CANARY}\r\n\r\n".encode(),
        f"{shape} /x HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
        f"GET /?q={shape} HTTP/9.9 Bearer {CANARY}\r\nHost: h\r\n\r\n".encode(),
    ]


async def send_all(house, shape: str, number: int) -> None:
    for data in leaky(shape, number):
        async with house.client() as client:
            await client.send(data)
            await client.until(b"\r\n\r\n")


async def pages(port: int) -> dict[str, bytes]:
    """Everything that the admin port shows, each story and each group of errors with it."""
    shown = {}
    fixed = (
        "/health", "/metrics", "/metrics.json", "/api/requests?limit=1000", "/api/errors",
        "/api/alerts", "/api/config", "/api/live", "/api/breakers", "/api/routes", "/", "/errors",
        "/alerts", "/requests",
    )  # fmt: skip
    for path in fixed:
        shown[path] = (await ask(port, path)).body
    found = json.loads(shown["/api/requests?limit=1000"])["requests"]
    groups = json.loads(shown["/api/errors"])["groups"]
    ids = {each["request_id"] for each in found if each["request_id"].isprintable()}
    paths = [f"{root}/{one}" for root in ("/api/requests", "/requests") for one in ids]
    prints = [one["fingerprint"] for one in groups]
    paths += [f"{root}/{one}" for root in ("/api/errors", "/errors") for one in prints]
    for path in paths:
        if " " not in path:
            shown[path] = (await ask(port, path)).body
    return shown


@pytest.mark.parametrize("name", SCRIPTS)
async def test_no_canary_is_found_anywhere(upstream, house, tmp_path, monkeypatch, name):
    monkeypatch.setattr("proxy.diagnostics.service.TICK", 0.02)
    told: list[bytes] = []

    async def receive(turn: Turn) -> None:
        told.append(await turn.body())
        await turn.answer(200)

    upstream.on("/hook", receive)
    path = tmp_path / "stories.db"
    house = await house(
        retry={"attempts": 2, "first_pause": "1ms"},
        breaker={"enabled": False},
        observe=FIELDS,
        store={"path": str(path), "sample": 1},
        alerts={
            "webhooks": [{"url": f"{upstream.url}/hook?token={CANARY}", "secret": CANARY * 2}],
            "every": "20ms",
            "unauthorised": {"above": 0},
            "errors": {"above": 0},
        },
    )
    play(upstream, SCRIPTS[name])
    for number, shape in enumerate(SHAPES):
        await send_all(house, shape, number)
    if name != "whole":
        await eventually(lambda: told)
    shown = await pages(house.app.admin_port)
    await house.app.stop()

    for what, body in shown.items():
        assert CANARY.encode() not in body, f"{what}: {around(body)!r}"
    for line in house.events:
        assert CANARY not in json.dumps(line), line
    for body in told:
        assert CANARY.encode() not in body
    check_store(path)


def play(upstream, script) -> None:
    """Wherever they ask."""
    for path in ("/x", *(form.format(shape) for form in PATHS for shape in SHAPES)):
        upstream.on(path, script)


def around(body: bytes) -> bytes:
    at = body.find(CANARY.encode())
    return body[max(0, at - 120) : at + 60]


def check_store(path: Path) -> None:
    """Its bytes, also what stands in them and belongs to no row any more."""
    files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
    with sqlite3.connect(path) as connection:
        kept = connection.execute("SELECT count(*) FROM stories").fetchone()[0]
    connection.close()

    assert kept >= 2 * len(leaky("", 0)) - 1
    for file in files:
        data = file.read_bytes() if file.exists() else b""
        assert CANARY.encode() not in data, around(data)


async def test_the_receivers_secrets_are_in_no_page(upstream, house):
    house = await house(
        admin={"token": CANARY * 2},
        alerts={"webhooks": [{"url": f"{upstream.url}/{CANARY}", "secret": CANARY}]},
    )
    answers = []
    for token in (CANARY, CANARY * 2):
        bearer = f"Authorization: Bearer {token}"
        async with RawClient(house.app.admin_port) as client:
            await client.send(request("GET", "/api/config", bearer, host="localhost"))
            answers.append(await client.answer())

    assert [401, 200] == [answer.status for answer in answers]
    assert not any(CANARY.encode() in answer.body for answer in answers)
    assert CANARY not in json.dumps(house.events)


MARK = "7f3a9c0d"
"""What every secret below is made of; no trace or request ID is."""


def secret(shape: SecretShape, start: str) -> str:
    mark = MARK.upper() if re.fullmatch(shape.rest, "a") is None else MARK
    return start + (mark * 9)[: max(shape.least, 2 * len(mark))]


SECRETS = [secret(shape, shape.starts[-1]) for shape in SHAPES_KNOWN.values()]
EVERYWHERE = {
    "fields": {
        "referer": {"header": "Referer"},
        "agent": {"header": "User-Agent"},
        "protocols": {"header": "Sec-WebSocket-Protocol"},
        "q": {"query": "q"},
        "who": {"path": "/users/{id}"},
    }
}


def with_secret(secret: str) -> list[bytes]:
    json_query = quote(json.dumps({"a": {"code": MARK * 3, "b": secret}}), safe="")
    twice = quote(quote(f"next=/cb?state={MARK * 3}&x={secret}", safe=""), safe="")
    headers = (
        f"User-Agent: tool/1 ({secret})", f"Referer: https://h/?SAMLResponse={MARK * 3}&a={secret}",
        f"X-Request-ID: {secret}", f"traceparent: {secret}", "Connection: upgrade",
        f"Sec-WebSocket-Protocol: chat, {secret}, base64url.bearer.authorization.{MARK * 3}",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
    )  # fmt: skip
    return [
        request("GET", f"/users/{secret}?PHPSESSID={MARK * 3}&q={secret}", *headers),
        request("GET", f"/x?p={json_query}&ticket=ST-{MARK * 3}&u={twice}", *headers[:3]),
        request("GET", f"/x?code_verifier={MARK * 3}", host=f"user:{MARK * 3}@h"),
    ]


async def test_no_secret_of_any_shape_is_found_on_any_surface(
    upstream, house, tmp_path, monkeypatch, capsys
):
    """Log, metrics, API, pages, store, webhooks, `explain` of the port and of the log, stderr."""
    monkeypatch.setattr("proxy.diagnostics.service.TICK", 0.02)
    told: list[bytes] = []

    async def receive(turn: Turn) -> None:
        told.append(await turn.body())
        await turn.answer(200)

    upstream.on("/hook", receive)
    house = await house(
        retry={"attempts": 1}, breaker={"enabled": False}, observe=EVERYWHERE,
        store={"path": str(tmp_path / "s.db"), "sample": 1}, route={"websocket": True},
        alerts={"webhooks": [{"url": f"{upstream.url}/hook?token={MARK * 3}"}], "every": "20ms",
                "warnings": {"above": 0}, "errors": {"above": 0}},
    )  # fmt: skip
    upstream.on("/x", reset_before_head)
    for one in SECRETS:
        for data in with_secret(one):
            async with house.client() as client:
                await client.send(data)
                await client.until(b"\r\n\r\n")
    await eventually(lambda: told)
    shown = await pages(house.app.admin_port)
    log = tmp_path / "log"
    log.write_text("".join(f"{json.dumps(line)}\n" for line in house.events))
    door = f"http://127.0.0.1:{house.app.admin_port}"
    for line in house.all()[::7]:
        for admin in (door, "http://127.0.0.1:1"):
            command = ["explain", line["request_id"], str(log), "--admin", admin]
            assert 0 == await asyncio.to_thread(main, command)
    await house.app.stop()

    said = capsys.readouterr()
    surfaces = {**shown, "log": log.read_bytes(), "explain": f"{said}".encode()}
    surfaces |= {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    surfaces |= {f"webhook {n}": body for n, body in enumerate(told)}
    assert len(SECRETS) * 3 == len(house.all())
    for what, body in surfaces.items():
        found = re.search(f"{MARK}{MARK}".encode(), body, re.IGNORECASE)
        assert found is None, f"{what}: {body[max(0, found.start() - 120) : found.end() + 20]!r}"
