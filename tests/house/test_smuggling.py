"""Two readers must never see two different requests in the same bytes.

Each case: the client gets 4xx or 5xx, or the upstream sees exactly one well-formed request,
and never the one that was hidden. (The fixture asserts that it saw nothing malformed.)
"""

import pytest

from tests.house.fault_upstream import raw
from tests.house.raw_client import answers_until_quiet, request

HIDDEN = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
POST = "POST /shown HTTP/1.1\r\nHost: h\r\n"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n\r\n"


def with_both(length: int, body: str) -> str:
    return f"{POST}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"


def coded(value: str) -> str:
    return f"{POST}Transfer-Encoding: {value}\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{HIDDEN}"


CASES = {
    "CL.TE": with_both(len(HIDDEN) + 5, f"0\r\n\r\n{HIDDEN}"),
    "TE.CL": with_both(4, f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
    "CL.0": f"GET /shown HTTP/1.1\r\nHost: h\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "TE.TE two lines": f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "TE twice": f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "TE chunked, identity": coded("chunked, identity"),
    "TE identity": coded("identity"),
    "TE xchunked": coded("xchunked"),
    "TE chunked quoted": coded('"chunked"'),
    "TE vertical tab": coded("\x0bchunked"),
    "TE trailing NUL": coded("chunked\0"),
    "TE gzip, chunked": f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "TE name with space": f"{POST}Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "TE name with tab": f"{POST}Transfer-Encoding\t: chunked\r\nContent-Length: 4\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "TE name with leading space": f"{POST} Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "TE with underscore": f"{POST}Transfer_Encoding: chunked\r\nContent-Length: "
    f"{len(HIDDEN) + 5}\r\n\r\n0\r\n\r\n{HIDDEN}",
    "TE folded": f"{POST}Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "TE in HTTP/1.0": "POST /shown HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "CL twice, different": f"{POST}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n"
    f"{HIDDEN}",
    "CL twice, equal": f"{POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "CL list": f"{POST}Content-Length: 0, {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "CL plus": f"{POST}Content-Length: +{len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "CL minus": f"{POST}Content-Length: -1\r\n\r\n{HIDDEN}",
    "CL hex": f"{POST}Content-Length: 0x10\r\n\r\n{HIDDEN}",
    "CL with space inside": f"{POST}Content-Length: 1 0\r\n\r\n{HIDDEN}",
    "CL empty": f"{POST}Content-Length: \r\n\r\n{HIDDEN}",
    "CL huge": f"{POST}Content-Length: {'9' * 30}\r\n\r\n{HIDDEN}",
    "CL other digits": f"{POST}Content-Length: \xb2\r\n\r\n{HIDDEN}",
    "CL name with space": f"{POST}Content-Length : {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "bare LF ends lines": HIDDEN.replace("/hidden", "/shown").replace("\r\n", "\n"),
    "bare LF in a value": f"GET /shown HTTP/1.1\r\nHost: h\r\nX: a\nX-B: b\r\n\r\n{HIDDEN}",
    "bare CR in a value": f"GET /shown HTTP/1.1\r\nHost: h\r\nX: a\rX-B: b\r\n\r\n{HIDDEN}",
    "bare CR ends lines": HIDDEN.replace("/hidden", "/shown").replace("\r\n", "\r"),
    "LF before the empty line": f"GET /shown HTTP/1.1\r\nHost: h\n\r\n{HIDDEN}",
    "folded value": f"GET /shown HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n{HIDDEN}",
    "folded first line": f"GET /shown HTTP/1.1\r\n Host: x\r\nHost: h\r\n\r\n{HIDDEN}",
    "NUL in a value": f"GET /shown HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n{HIDDEN}",
    "NUL in a name": f"GET /shown HTTP/1.1\r\nHost: h\r\nX\0: a\r\n\r\n{HIDDEN}",
    "NUL in the target": f"GET /shown\0 HTTP/1.1\r\nHost: h\r\n\r\n{HIDDEN}",
    "space before colon": f"GET /shown HTTP/1.1\r\nHost : h\r\n\r\n{HIDDEN}",
    "no colon": f"GET /shown HTTP/1.1\r\nHost: h\r\nX\r\n\r\n{HIDDEN}",
    "empty name": f"GET /shown HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n{HIDDEN}",
    "two spaces in the request line": "GET  /shown HTTP/1.1\r\nHost: h\r\n\r\n",
    "space in the target": "GET /shown /x HTTP/1.1\r\nHost: h\r\n\r\n",
    "no version": "GET /shown\r\n\r\n",
    "HTTP/0.9": f"GET /shown HTTP/0.9\r\nHost: h\r\n\r\n{HIDDEN}",
    "HTTP/1.2": "GET /shown HTTP/1.2\r\nHost: h\r\n\r\n",
    "HTTP/2.0": f"GET /shown HTTP/2.0\r\nHost: h\r\n\r\n{HIDDEN}",
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 1.10": "GET /shown HTTP/1.10\r\nHost: h\r\n\r\n",
    "lower-case version": "GET /shown http/1.1\r\nHost: h\r\n\r\n",
    "no Host": "GET /shown HTTP/1.1\r\n\r\n",
    "two Hosts": "GET /shown HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
    "Host with user": "GET /shown HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "Host with path": "GET /shown HTTP/1.1\r\nHost: b/c\r\n\r\n",
    "Host with space": "GET /shown HTTP/1.1\r\nHost: a b\r\n\r\n",
    "absolute target, other Host": "GET http://i/shown HTTP/1.1\r\nHost: h\r\n\r\n",
    "absolute target with user": "GET http://a@h/shown HTTP/1.1\r\nHost: h\r\n\r\n",
    "CONNECT": f"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n{HIDDEN}",
    "target is a star": "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
    "target without slash": "GET shown HTTP/1.1\r\nHost: h\r\n\r\n",
    "fragment": "GET /shown#x HTTP/1.1\r\nHost: h\r\n\r\n",
    "raw bytes in the target": "GET /sh\xf6wn HTTP/1.1\r\nHost: h\r\n\r\n",
    "method with a slash": "G/T /shown HTTP/1.1\r\nHost: h\r\n\r\n",
    "chunk size overflow": f"{CHUNKED}{'f' * 16}1\r\na\r\n0\r\n\r\n{HIDDEN}",
    "chunk size wraps to small": f"{CHUNKED}10000000000000005\r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk size with 0x": f"{CHUNKED}0x5\r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk size with sign": f"{CHUNKED}+5\r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk size with space": f"{CHUNKED}5 \r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk size with leading space": f"{CHUNKED} 5\r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk size empty": f"{CHUNKED}\r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk size in other digits": f"{CHUNKED}\xb2\r\nab\r\n0\r\n\r\n{HIDDEN}",
    "chunk data too long": f"{CHUNKED}2\r\nabcde\r\n0\r\n\r\n{HIDDEN}",
    "chunk ended by LF": f"{CHUNKED}2\nab\n0\n\n{HIDDEN}",
    "chunk size ended by CR": f"{CHUNKED}2\rab\r\n0\r\n\r\n{HIDDEN}",
    "chunk extension with LF": f"{CHUNKED}2;a\nab\r\n0\r\n\r\n{HIDDEN}",
    "chunk extension": f"{CHUNKED}2;a=b\r\nab\r\n0\r\n\r\n",
    "chunk extension with CR": f"{CHUNKED}2;a\rb\r\nab\r\n0\r\n\r\n{HIDDEN}",
    "huge chunk extension": f"{CHUNKED}2;{'a' * 100_000}\r\nab\r\n0\r\n\r\n",
    "trailer that frames": f"{CHUNKED}0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n",
    "trailer with LF": f"{CHUNKED}0\r\nX: a\nY: b\r\n\r\n",
    "last chunk with zeros": f"{CHUNKED}2\r\nab\r\n000\r\n\r\n",
    "upgrade with a body": "POST /shown HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
    f"Upgrade: websocket\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "Connection names Host": "GET /shown HTTP/1.1\r\nHost: h\r\nConnection: Host\r\n\r\n",
    "Connection names Content-Length": f"{POST}Content-Length: {len(HIDDEN)}\r\n"
    f"Connection: Content-Length\r\n\r\n{HIDDEN}",
    "Connection names Transfer-Encoding": f"{POST}Transfer-Encoding: chunked\r\n"
    f"Connection: Transfer-Encoding\r\n\r\n{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n",
    "CRLF in the target": "GET /shown%0d%0aX-A:%20b HTTP/1.1\r\nHost: h\r\n\r\n",
    "empty line first": "\r\nGET /shown HTTP/1.1\r\nHost: h\r\n\r\n",
}  # fmt: skip

UNDERSTOOD = {
    "CL.0", "TE with underscore", "two spaces in the request line", "absolute target, other Host",
    "chunk extension", "HTTP/1.2", "last chunk with zeros",
    "Connection names Host", "Connection names Content-Length",
    "Connection names Transfer-Encoding", "CRLF in the target", "empty line first",
}  # fmt: skip
"""Odd, but read alike by everybody; what looks like a second request is a body or refused."""


@pytest.mark.parametrize("case", CASES)
async def test_no_request_hides_in_another(upstream, house, case):
    house = await house()
    async with house.client() as client:
        await client.send(CASES[case])
        answers = await answers_until_quiet(client, 3)
    statuses = [answer.status for answer in answers]
    assert all(answer.header("X-Request-ID") for answer in answers)
    shown = [seen for seen in upstream.seen if seen.target.startswith("/shown")]

    if case in UNDERSTOOD:
        assert [200] == statuses
        assert len(shown) == len(upstream.seen) == 1
        assert shown[0].whole
    else:
        assert 1 == len(statuses)
        assert statuses[0] in (400, 426, 501, 505)
        assert [] == upstream.seen


@pytest.mark.parametrize(
    "case", ["CL.TE", "TE.CL", "CL list", "space before colon", "NUL in a value"]
)
async def test_refusals_are_the_documented_json_and_one_event(upstream, house, case):
    house = await house()
    async with house.client() as client:
        await client.send(CASES[case])
        answer = await client.answer()
        rest, end = await client.rest()
    event = await house.event_of(answer)

    assert (400, "bad_request") == (answer.status, answer.json()["error"])
    assert (b"", "clean") == (rest, end)
    assert ("bad_request", "CR", "INFO") == (event["code"], event["term"], event["level"])
    assert 1 == len(house.all())
    assert [] == upstream.seen


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_segments_change_nothing(upstream, house, cut):
    house = await house()
    text = request("POST", "/seg", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n"
    async with house.client() as client:
        await client.send(text[:cut], text[cut:])
        answer = await client.answer()

    assert (200, b"abc") == (answer.status, upstream.seen[0].body)


async def test_an_answer_cannot_hide_another(upstream, house):
    hidden = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden"
    house = await house()
    upstream.on("/head", raw(f"HTTP/1.1 200 OK\r\nContent-Length: {len(hidden)}\r\n\r\n{hidden}"))
    async with house.client() as client:
        await client.get("/head", method="HEAD")
        after = await client.get("/after")

    assert "/after" == after.json()["target"]
