"""A browser's rules: what a page of another origin may read of our answers."""

import pytest

from tests.house.admin import stories
from tests.house.fault_upstream import reset_before_head, sse, status
from tests.house.raw_client import Answer

PAGE = "https://widget.example"
CORS = {"origins": [PAGE]}
SAFELISTED = {"cache-control", "content-language", "content-length", "content-type", "expires"}


class Blocked(Exception):  # noqa: N818 - what a page is told
    """The browser tells the page nothing but that it failed."""


def as_browser(answer: Answer, *, credentials: bool = False) -> dict[str, str]:
    """The headers that the page may read. Raises Blocked as a browser would (Fetch standard)."""
    allowed = answer.header("Access-Control-Allow-Origin")
    if allowed != PAGE and (credentials or allowed != "*"):
        raise Blocked(f"origin: {allowed}")
    if credentials and answer.header("Access-Control-Allow-Credentials") != "true":
        raise Blocked("credentials")
    listed = (answer.header("Access-Control-Expose-Headers") or "").lower()
    readable = SAFELISTED | {name.strip() for name in listed.split(",")}
    return {name.lower(): value for name, value in answer.headers if name.lower() in readable}


async def preflight(
    house, method: str, *headers: str, origin: str = PAGE, path: str = "/"
) -> Answer:
    lines = [f"Origin: {origin}", f"Access-Control-Request-Method: {method}"]
    if headers:
        lines.append(f"Access-Control-Request-Headers: {', '.join(headers)}")
    return await house.fetch(path, *lines, method="OPTIONS")


async def test_a_page_reads_status_code_and_reference_id_of_a_502(upstream, house):
    house = await house(cors=CORS)
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", f"Origin: {PAGE}", method="POST", body=b"x")
    readable = as_browser(answer)

    assert 502 == answer.status
    assert "upstream_reset" == readable["x-sidelight-error"] == answer.json()["error"]
    assert answer.json()["request_id"] == readable["x-request-id"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(("GET", "/nowhere"), 404, id="no route"),
        pytest.param(("DELETE", "/only"), 405, id="no method"),
        pytest.param(("GET", "/open"), 503, id="refused"),
    ],
)
async def test_every_error_of_ours_is_readable(upstream, house, raw, status):
    house = await house(
        cors=CORS,
        route={"match": {"path": "/only", "methods": ["GET"]}},
        more_routes=[
            {
                "name": "open",
                "match": {"path": "/open"},
                "upstream": "chat",
                "retry": {"attempts": 1},
                "breaker": {"consecutive": 1},
            }
        ],
    )
    upstream.on("/open", reset_before_head)
    await house.fetch("/open")
    answer = await house.fetch(raw[1], f"Origin: {PAGE}", method=raw[0])

    assert status == answer.status
    assert "x-request-id" in as_browser(answer)


async def test_preflights_are_answered_by_us(upstream, house):
    house = await house(cors=CORS)
    answer = await preflight(house, "POST", "content-type", "x-request-id")

    assert 204 == answer.status
    assert PAGE == answer.header("Access-Control-Allow-Origin")
    assert "POST" in answer.header("Access-Control-Allow-Methods")
    allowed = answer.header("Access-Control-Allow-Headers").lower()
    assert {"content-type", "x-request-id"} <= {name.strip() for name in allowed.split(",")}
    assert [] == upstream.seen
    assert answer.header("X-Request-ID")


ORIGINS = "cors.origins of the route all"
REFUSED = [
    pytest.param({"origin": "https://evil.example"}, {}, ORIGINS, id="an origin"),
    pytest.param({"origin": "null"}, {}, ORIGINS, id="a page without one"),
    pytest.param(
        {"path": "/only"}, {"match": {"path": "/only", "methods": ["GET"]}},
        "methods of the route all (GET, HEAD)", id="method",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "route", "rule"), REFUSED)
async def test_a_refused_preflight_says_by_which_rule_and_what_was_asked(
    upstream, house, asked, route, rule
):
    house = await house(cors=CORS, route=route)
    answer = await preflight(house, "DELETE", "x-a", "content-type", **asked)
    event = await house.event_of(answer)
    (story,) = await stories(house.app.admin_port, event["request_id"])

    assert (204, "preflight_refused") == (answer.status, answer.header("X-Sidelight-Error"))
    assert [] == [name for name, _ in answer.headers if name.startswith("Access-Control-")]
    assert ("preflight_refused", "PR", "INFO") == tuple(event[k] for k in ("code", "term", "level"))
    origin = asked.get("origin", PAGE)
    told = f"refused by {rule}: origin {origin}, method DELETE, headers x-a, content-type"
    assert told == event["detail"]
    assert told in story["diagnosis"]
    assert [] == upstream.seen


async def test_a_preflight_that_another_route_takes_is_not_refused(upstream, house):
    rest = {"name": "rest", "match": {"path": "/"}, "upstream": "chat"}
    only = {"match": {"path": "/only", "methods": ["GET"]}}
    house = await house(cors=CORS, route=only, more_routes=[rest])
    answer = await preflight(house, "DELETE", path="/only")

    assert PAGE == answer.header("Access-Control-Allow-Origin")


async def test_pages_may_read_what_the_rule_and_the_upstream_expose(upstream, house):
    house = await house(cors=CORS | {"expose": ["X-Total-Count"]})
    theirs = ("X-Total-Count: 7", "X-Theirs: 8", "X-Hidden: 9", "RateLimit: limit=5")
    upstream.on("/", status(200, "Access-Control-Expose-Headers: X-Theirs", *theirs))
    readable = as_browser(await house.fetch("/", f"Origin: {PAGE}"))

    assert ("7", "8", "limit=5") == tuple(
        readable[name] for name in ("x-total-count", "x-theirs", "ratelimit")
    )
    assert "x-hidden" not in readable


async def test_other_origins_are_blocked(upstream, house):
    house = await house(cors=CORS)
    answer = await house.fetch("/", "Origin: https://evil.example")

    assert answer.header("Access-Control-Allow-Origin") is None
    assert (await preflight(house, "POST", origin="https://evil.example")).header(
        "Access-Control-Allow-Origin"
    ) is None


async def test_the_upstreams_own_headers_are_replaced_not_doubled(upstream, house):
    house = await house(cors=CORS)
    upstream.on(
        "/",
        status(200, "Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: X-Theirs"),
    )
    answer = await house.fetch("/", f"Origin: {PAGE}")

    assert [PAGE] == answer.all("Access-Control-Allow-Origin")
    assert "x-request-id" in as_browser(answer)


async def test_without_a_rule_the_upstreams_pass(upstream, house):
    house = await house()
    upstream.on("/", status(200, "Access-Control-Allow-Origin: *"))
    answer = await house.fetch("/", f"Origin: {PAGE}")
    asked = await preflight(house, "POST")

    assert ["*"] == answer.all("Access-Control-Allow-Origin")
    assert ("OPTIONS", 200) == (upstream.seen[1].method, asked.status)


async def test_credentials_are_allowed_where_set(upstream, house):
    house = await house(cors=CORS | {"credentials": True})
    answer = await house.fetch("/", f"Origin: {PAGE}", "Cookie: a=b")

    assert as_browser(answer, credentials=True)
    with pytest.raises(Blocked):
        as_browser(await house.fetch("/", "Origin: https://evil.example"), credentials=True)


async def test_caches_keep_origins_apart(upstream, house):
    house = await house(cors=CORS)
    upstream.on("/", status(200, "Vary: Accept-Encoding"))
    varies = ", ".join((await house.fetch("/", f"Origin: {PAGE}")).all("Vary")).lower()

    assert "origin" in varies
    assert "accept-encoding" in varies


async def test_streams_are_readable_too(upstream, house):
    house = await house(cors=CORS)
    upstream.on("/", sse("data: one\n\n"))
    answer = await house.fetch("/", f"Origin: {PAGE}", "Accept: text/event-stream")

    assert b"data: one\n\n" == answer.body
    assert "x-request-id" in as_browser(answer)
