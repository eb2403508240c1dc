"""Where an upstream may be: below a path, or behind a Unix socket."""

import asyncio

import pytest

from tests.house.fault_upstream import Connection, close_before_head
from tests.house.raw_client import request


@pytest.mark.parametrize(
    ("base", "target", "seen"),
    [
        pytest.param("/", "/a?b", "/a?b", id="a lone slash says nothing"),
        pytest.param("/base", "/a?b", "/base/a?b", id="before the path"),
        pytest.param("/base/", "/", "/base/", id="a slash at its end is left out"),
        pytest.param("/base/v1", "//a/%2e", "/base/v1//a/%2e", id="the rest as it was written"),
    ],
)
async def test_the_path_of_an_endpoint_comes_before_that_of_the_request(
    upstream, house, base, target, seen
):
    house = await house(upstream={"endpoints": [upstream.url + base]})
    answer = await house.fetch(target)
    event = await house.event_of(answer)

    assert [seen] == [one.target for one in upstream.seen]
    assert ["house"] == [one.header("Host") for one in upstream.seen]
    assert target == event["path"]


async def test_each_attempt_has_the_path_of_its_endpoint(upstream, house):
    upstream.on("/one/x", close_before_head)
    house = await house(upstream={"endpoints": [f"{upstream.url}/one", f"{upstream.url}/two"]})
    answer = await house.fetch("/x")

    assert 200 == answer.status
    assert ["/one/x", "/two/x"] == [one.target for one in upstream.seen]


async def test_a_prefix_is_cut_before_the_path_of_the_endpoint_is_added(upstream, house):
    endpoints = {"endpoints": [f"{upstream.url}/base"]}
    route = {"match": {"path": "/api/"}, "strip_prefix": "/api"}
    house = await house(upstream=endpoints, route=route)
    await house.fetch("/api/x")

    assert "/base/x" == upstream.seen[0].target
    assert "/api" == upstream.seen[0].header("X-Forwarded-Prefix")


async def test_an_upstream_behind_a_unix_socket(upstream, house, tmp_path):
    path = tmp_path / "app.sock"
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: Connection(upstream), str(path))
    house = await house(upstream={"endpoints": [f"unix:{path}"]})
    first = await house.fetch("/a")
    second = await house.fetch("/b", method="POST", body=b"once")
    async with house.client() as client:
        await client.send("GET /c HTTP/1.0\r\n\r\n")
        third = await client.answer()
    event = await house.event_of(second)
    server.close()

    assert [200] * 3 == [answer.status for answer in (first, second, third)]
    assert (f"unix:{path}", True) == (event["endpoint"], event["connection_reused"])
    assert "localhost" == upstream.seen[2].header("Host")


async def test_a_unix_socket_that_is_not_there_is_refused(house, tmp_path):
    house = await house(upstream={"endpoints": [f"unix:{tmp_path}/none.sock"]})
    answer = await house.fetch(method="POST", body=b"x")

    assert (502, "connect_refused") == (answer.status, answer.header("X-Sidelight-Error"))
    assert str(tmp_path) not in answer.body.decode()


async def test_what_a_kept_unix_socket_lost_is_not_sent_twice(upstream, house, tmp_path):
    """No kernel says whether the request was read."""
    path = tmp_path / "app.sock"
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: Connection(upstream), str(path))
    house = await house(upstream={"endpoints": [f"unix:{path}"]})
    await house.fetch()
    upstream.on("/", close_before_head)
    async with house.client() as client:
        await client.send(request("POST", "/", body=b"once"))
        answer = await client.answer("POST")
    event = await house.event_of(answer)
    server.close()

    assert ("not_idempotent", 2) == (event["retry_stopped"], len(upstream.seen))
