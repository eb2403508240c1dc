"""What a route does not take is refused before an upstream hears of it, in words for people."""

import json

import pytest

from tests.house.raw_client import request

MESSAGE = {"message": {"pointer": "/message", "max_length": 10}}
JSON = "Content-Type: application/json"


async def say(house, body: bytes, *headers: str):
    return await house.fetch("/", *(headers or (JSON,)), method="POST", body=body)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "words"),
    [
        pytest.param(b'{"message": ""}', (JSON,), 422, "message_empty",
                     "Message cannot be empty.", id="empty"),
        pytest.param(b'{"message": "  \\n"}', (JSON,), 422, "message_empty",
                     "Message cannot be empty.", id="only blanks"),
        pytest.param(b'{"text": "x"}', (JSON,), 422, "message_empty",
                     "Message cannot be empty.", id="missing"),
        pytest.param(b'{"message": "01234567890"}', (JSON,), 422, "message_too_long",
                     "Message too long (max 10 characters).", id="too long"),
        pytest.param(b'{"message": "x"', (JSON,), 400, "bad_request",
                     "The request could not be understood.", id="broken JSON"),
        pytest.param(b"message=x", ("Content-Type: application/x-www-form-urlencoded",), 415,
                     "media_type_not_supported", "This kind of content is not supported.",
                     id="a form"),
        pytest.param(b"\x1f\x8b", (JSON, "Content-Encoding: gzip"), 415,
                     "media_type_not_supported", "This kind of content is not supported.",
                     id="compressed"),
        pytest.param(b'{"message": "x"}' + b" " * 1024 * 1024, (JSON,), 413, "body_too_large",
                     "The message is too long.", id="over 1 MiB"),
    ],
)  # fmt: skip
async def test_what_is_no_good_message_is_refused(
    upstream, house, body, headers, status, code, words
):
    house = await house(route=MESSAGE)
    answer = await say(house, body, *headers)
    event = await house.event_of(answer)

    assert (status, code, words) == (
        answer.status,
        answer.json()["error"],
        answer.json()["message"],
    )
    assert answer.json()["retryable"] is False
    assert code == event["code"]
    assert [] == upstream.seen


@pytest.mark.parametrize("chunked", [False, True], ids=["counted", "chunked"])
async def test_a_good_message_goes_on_byte_for_byte(upstream, house, chunked):
    house = await house(route=MESSAGE)
    body = json.dumps({"message": "0123456789", "more": "x" * 200_000}).encode()
    async with house.client() as client:
        if chunked:
            await client.send(request("POST", "/", JSON, "Transfer-Encoding: chunked"))
            for at in range(0, len(body), 50_000):
                piece = body[at : at + 50_000]
                await client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await client.send(b"0\r\n\r\n")
        else:
            await client.send(request("POST", "/", JSON, f"Content-Length: {len(body)}") + body)
        answer = await client.answer()

    assert 200 == answer.status
    assert [body] == [seen.body for seen in upstream.seen]


async def test_a_message_that_comes_in_chunks_is_bounded_as_well(upstream, house):
    house = await house(route=MESSAGE)
    async with house.client() as client:
        await client.send(request("POST", "/", JSON, "Transfer-Encoding: chunked"))
        await client.send(b"100001\r\n" + b" " * 0x100001)
        answer = await client.answer()

    assert (413, "body_too_large") == (answer.status, answer.json()["error"])
    assert [] == upstream.seen


async def test_who_waits_for_a_100_is_told_to_go_on(upstream, house):
    house = await house(route=MESSAGE)
    async with house.client() as client:
        await client.send(request("POST", "/", JSON, "Content-Length: 16", "Expect: 100-continue"))
        assert b"HTTP/1.1 100 Continue\r\n\r\n" == await client.until(b"\r\n\r\n")
        await client.send(b'{"message": "x"}')
        answer = await client.answer()

    assert 200 == answer.status


async def test_a_connection_goes_on_after_a_message_that_was_too_long(upstream, house):
    house = await house(route=MESSAGE)
    async with house.client() as client:
        statuses = []
        for text in ("01234567890", "fine"):
            body = json.dumps({"message": text}).encode()
            await client.send(request("POST", "/", JSON, f"Content-Length: {len(body)}") + body)
            statuses.append((await client.answer()).status)

    assert [422, 200] == statuses


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(upstream, house):
    house = await house(route=MESSAGE, timeouts={"request_body_gap": "100ms"})
    async with house.client() as client:
        await client.send(request("POST", "/", JSON, "Content-Length: 16") + b'{"mess')
        answer = await client.answer()

    assert (408, "request_timeout") == (answer.status, answer.json()["error"])
    assert [] == upstream.seen


async def test_a_get_has_no_message_and_passes(upstream, house):
    house = await house(route=MESSAGE | {"content_types": ["application/json"]})

    assert 200 == (await house.fetch()).status
    assert 415 == (await house.fetch(method="POST")).status


async def test_only_types_that_are_allowed_pass(upstream, house):
    house = await house(route={"content_types": ["application/json", "text/*"]})
    answers = [
        await say(house, b"x", f"Content-Type: {kind}")
        for kind in ("application/json; charset=utf-8", "text/csv", "image/png")
    ]
    event = await house.event_of(answers[2])

    assert [200, 200, 415] == [answer.status for answer in answers]
    assert ("media_type_not_supported", "PR") == (event["code"], event["term"])
    assert "content type image/png" == event["detail"]


PROXY = {"trusted_proxies": ["127.0.0.0/8"]}


@pytest.mark.parametrize(
    ("lines", "settings", "status"),
    [
        pytest.param((), {}, 403, id="plain"),
        pytest.param(("X-Forwarded-Proto: https",), {}, 403, id="forged"),
        pytest.param(("X-Forwarded-Proto: https",), PROXY, 200, id="as a trusted proxy says"),
        pytest.param(("X-Forwarded-Proto: http",), PROXY, 403, id="as it says not"),
        pytest.param(("X-Forwarded-Proto: https, http",), PROXY, 403, id="forged before it"),
        pytest.param(("Forwarded: for=a;proto=https",), PROXY, 200, id="in the newer header"),
        pytest.param(("Forwarded: proto=https, proto=http",), PROXY, 403, id="forged in it"),
    ],
)
async def test_plain_http_is_refused_where_https_is_required(
    upstream, house, lines, settings, status
):
    house = await house(route={"require_https": "refuse"}, **settings)
    answer = await house.fetch("/", *lines)

    assert status == answer.status
    assert (0 if status == 403 else 1) == len(upstream.seen)
    if status == 403:
        assert "https_required" == answer.json()["error"] == (await house.event_of(answer))["code"]


async def test_a_get_is_sent_to_the_same_place_by_https(upstream, house):
    house = await house(route={"require_https": "redirect"})
    async with house.client() as client:
        await client.send("GET /a%2Fb?c=d HTTP/1.1\r\nHost: chat.example:8080\r\n\r\n")
        moved = await client.answer()
    event = await house.event_of(moved)
    refused = await house.fetch("/", method="POST", body=b"x")

    assert (308, "https://chat.example/a%2Fb?c=d") == (moved.status, moved.header("Location"))
    assert ("https_required", 308) == (event["code"], event["status"])
    assert (403, None) == (refused.status, refused.header("Location"))


async def test_who_came_by_https_is_told_to_stay_with_it(upstream, house):
    house = await house(route={"hsts": "365d"}, **PROXY)
    secure = await house.fetch("/", "X-Forwarded-Proto: https")
    plain = await house.fetch("/")

    assert "max-age=31536000" == secure.header("Strict-Transport-Security")
    assert (200, None) == (plain.status, plain.header("Strict-Transport-Security"))
