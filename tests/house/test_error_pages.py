"""A person who opens an address in a browser reads a page, a script reads JSON."""

import pytest

from tests.house.fault_upstream import raw, reset_before_head, status

BROWSER = (
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
)
HTML = "text/html; charset=utf-8"
JSON = "application/json"
PAGES = {"errors": {"html": True}}


@pytest.mark.parametrize(
    ("settings", "accept", "kind"),
    [
        pytest.param(PAGES, [BROWSER], HTML, id="a browser"),
        pytest.param(PAGES, ["Accept: text/html"], HTML, id="nothing but a page"),
        pytest.param(PAGES, [], JSON, id="nothing said"),
        pytest.param(PAGES, ["Accept: */*"], JSON, id="a script"),
        pytest.param(PAGES, ["Accept: application/json, text/html"], JSON, id="both alike"),
        pytest.param(PAGES, ["Accept: text/html;q=0.4, application/json;q=0.5"], JSON,
                     id="JSON rather"),
        pytest.param(PAGES, ["Accept: application/problem+json"], "application/problem+json",
                     id="problem details"),
        pytest.param({"errors": {"html": True, "format": "problem"}}, [BROWSER], HTML,
                     id="a browser where others get problem details"),
        pytest.param({}, [BROWSER], JSON, id="only by option"),
    ],
)  # fmt: skip
async def test_who_reads_a_page(upstream, house, settings, accept, kind):
    house = await house(retry={"attempts": 1}, **settings)
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", *accept)

    assert (502, kind) == (answer.status, answer.header("Content-Type"))
    assert (["Accept"] if settings else []) == answer.all("Vary")
    assert str(len(answer.body)) == answer.header("Content-Length")
    assert (kind == HTML) == (answer.header("Content-Security-Policy") is not None)


async def test_the_page_has_the_message_and_the_id_and_the_head_all_the_rest(upstream, house):
    house = await house(retry={"attempts": 1}, **PAGES)
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", BROWSER)
    identity = answer.header("X-Request-ID")

    assert b"<h1>The service closed the connection. Please try again.</h1>" in answer.body
    assert f"Reference ID: <code>{identity}</code>".encode() in answer.body
    assert ("upstream_reset", "no-store", "nosniff", "no-referrer") == tuple(
        answer.header(name)
        for name in (
            "X-Sidelight-Error", "Cache-Control", "X-Content-Type-Options", "Referrer-Policy",
        )
    )  # fmt: skip


async def test_an_id_of_the_clients_own_stays_words(upstream, house):
    house = await house(retry={"attempts": 1}, **PAGES)
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", BROWSER, "X-Request-ID: a<b>&\"'")
    mine = await house.fetch("/", BROWSER, "X-Request-ID: a+b|c=d")

    assert b"<b>" not in answer.body
    assert b"<code>a+b|c=d</code>" in mine.body


async def test_other_errors_of_ours_and_masked_ones_are_pages_too(upstream, house):
    house = await house(route={"mask_upstream_errors": True, "match": {"path": "/a"}}, **PAGES)
    upstream.on("/a", status(500))
    answers = [await house.fetch(path, BROWSER) for path in ("/a", "/none")]
    async with house.client() as client:
        await client.send(f"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n{BROWSER}\r\n\r\n")
        answers.append(await client.answer())

    assert [(500, HTML), (404, HTML), (400, HTML)] == [
        (answer.status, answer.header("Content-Type")) for answer in answers
    ]
    assert b"The service reported an error." in answers[0].body


async def test_what_the_upstream_says_to_people_passes(upstream, house):
    house = await house(**PAGES)
    upstream.on(
        "/", raw("HTTP/1.1 404 X\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
    )
    answer = await house.fetch("/", BROWSER)

    assert (404, "text/html", b"hi") == (
        answer.status, answer.header("Content-Type"), answer.body,
    )  # fmt: skip


async def test_head_has_no_page(upstream, house):
    house = await house(retry={"attempts": 1}, **PAGES)
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", BROWSER, method="HEAD")

    assert (502, HTML, b"") == (answer.status, answer.header("Content-Type"), answer.body)
    assert int(answer.header("Content-Length")) > 300
