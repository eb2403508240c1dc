"""How a record begins."""

import pytest

from proxy.client.body import NO_BODY
from proxy.client.request import Request
from proxy.drain import Drain
from proxy.http.headers import LONGEST_HOST
from proxy.http.request_head import RequestHead
from proxy.opening import open_refused, open_unread
from proxy.time_spent import PARSE
from tests.line import Line, asked

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_record_begins_with_what_the_head_says(line) -> None:
    head = asked(
        (b"User-Agent", b"widget/1"), (b"traceparent", PARENT), method="POST", target="/a?b"
    )
    x = line().opened(head).exchange

    assert ("POST", "/a?b", "a", "widget/1") == (x.method, x.target, x.host, x.user_agent)
    assert ("0af7651916cd43dd8448eb211c80319c", "192.0.2.1") == (x.trace_id, x.client_ip)
    assert {"team": "a"} == x.fields
    assert (PARSE, x.started) == (x.spent.part, x.spent.since)
    assert x.outcome is None


@pytest.mark.parametrize(
    ("identity", "kept"),
    [
        pytest.param({}, True, id="kept as a rule"),
        pytest.param({"mode": "always_new"}, False, id="not where the settings say so"),
        pytest.param(
            {"mode": "trust_from", "trust_from": ["198.51.100.0/24"]}, False,
            id="not from somebody who is not trusted",
        ),
    ],
)  # fmt: skip
async def test_whose_request_id_it_has(line, identity: dict[str, object], kept: bool) -> None:
    x = line(identity=identity).opened(asked((b"X-Request-ID", b"theirs-1"))).exchange

    assert kept is (x.request_id == "theirs-1")
    assert (None if kept else "theirs-1") == x.client_request_id


async def test_a_host_is_kept_no_longer_than_it_takes_to_refuse_it(line) -> None:
    head = RequestHead(
        "GET", "/", b"h" * 1000, (1, 1), (), {}, keep_alive=True, has_body=False, length=None
    )

    assert LONGEST_HOST + 1 == len(line().opened(head).exchange.host)


def request_of(line: Line, head: RequestHead) -> Request:
    return Request(head, NO_BODY, line.client()[0])


async def test_of_a_refused_request_what_was_read_is_known(line) -> None:
    line = line()
    x = open_refused(line.plan, Drain(), request_of(line, asked(target="/a"))).exchange

    assert ("/a", {}) == (x.target, x.fields)


async def test_of_one_that_could_not_be_read_nothing_is(line) -> None:
    line = line()
    ctx = open_unread(line.plan, Drain(), request_of(line, asked(target="/a")))

    assert ("", "") == (ctx.exchange.target, ctx.exchange.method)
    assert ctx.exchange.request_id
    assert not ctx.keeps_alive
