"""`Proxy-Status`: a client that knows no code of ours still learns who failed, and how."""

import asyncio

import pytest

from tests.house.fault_upstream import reset_before_head, status
from tests.house.house import free_port
from tests.house.raw_client import request
from tests.house.streams import stream

ALL = {"proxy_status": "all"}
TRAILER = ['sidelight; error=http_response_incomplete; details="stream_truncated"']


@pytest.mark.parametrize(
    ("settings", "path", "told"),
    [
        pytest.param({}, "/reset", ("connection_terminated", "upstream_reset"), id="a reset"),
        pytest.param({"upstream": {"endpoints": [f"http://127.0.0.1:{free_port()}"]}}, "/",
                     ("connection_refused", "connect_refused"), id="nobody there"),
        pytest.param({"route": {"match": {"path": "/only"}}}, "/",
                     ("destination_not_found", "route_not_found"), id="no route"),
    ],
)  # fmt: skip
async def test_an_answer_of_ours_says_it_in_words_of_the_registry(
    upstream, house, settings, path, told
):
    house = await house(**settings)
    upstream.on("/reset", reset_before_head)
    answer = await house.fetch(path, method="POST")

    assert f'sidelight; error={told[0]}; details="{told[1]}"' == answer.header("Proxy-Status")
    assert told[1] == answer.header("X-Sidelight-Error")


async def test_a_tls_failure_is_told_apart(upstream, house):
    async def no_tls(_, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(no_tls, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        house = await house(upstream={"endpoints": [f"https://127.0.0.1:{port}"]})
        answer = await house.fetch("/")

    assert 'sidelight; error=tls_protocol_error; details="tls_failure"' == answer.header(
        "Proxy-Status"
    )


async def test_what_was_no_request_is_answered_with_it_too(upstream, house):
    house = await house(service="edge")
    async with house.client() as client:
        await client.send("garbage\r\n\r\n")
        answer = await client.answer()

    assert 'edge; error=http_request_error; details="bad_request"' == answer.header("Proxy-Status")


async def test_a_preflight_is_answered_by_us(upstream, house):
    house = await house(cors={"origins": ["*"]})
    asks = ("Origin: https://a.example", "Access-Control-Request-Method: PUT")
    answer = await house.fetch("/", *asks, method="OPTIONS")

    assert (204, "sidelight") == (answer.status, answer.header("Proxy-Status"))


async def test_answers_of_the_upstream_carry_only_its_own(upstream, house):
    house = await house()
    upstream.on("/", status(503, "Proxy-Status: origin; error=dns_error"))
    answer = await house.fetch("/", method="POST")

    assert ["origin; error=dns_error"] == answer.all("Proxy-Status")


async def test_by_option_all_do_and_earlier_members_stand_first(upstream, house):
    house = await house(errors=ALL)
    upstream.on("/", status(404, "Proxy-Status: origin; error=dns_error"))
    answer = await house.fetch("/")

    assert ["origin; error=dns_error", "sidelight; received-status=404"] == answer.all(
        "Proxy-Status"
    )


async def test_a_masked_answer_keeps_earlier_members(upstream, house):
    house = await house(route={"mask_upstream_errors": True})
    upstream.on("/", status(500, "Proxy-Status: origin; error=dns_error"))
    answer = await house.fetch("/")

    assert [
        "origin; error=dns_error",
        'sidelight; received-status=500; details="upstream_error"',
    ] == answer.all("Proxy-Status")


@pytest.mark.parametrize(("errors", "trailers"), [(ALL, TRAILER), ({}, [])])
async def test_a_stream_that_broke_says_so_in_a_trailer_if_its_head_had_one(
    upstream, house, errors, trailers
):
    house = await house(errors=errors)
    upstream.on("/", stream("data: one\n\n", then="cut"))
    async with house.client() as client:
        await client.send(request("GET", "/"))
        answer = await client.answer()

    assert "clean" == answer.end
    assert b"event: error" in answer.body
    assert trailers == [value for name, value in client.trailers if name == "Proxy-Status"]
