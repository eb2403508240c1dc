"""Every answer has an ID, the upstream has the same one, and nobody can forge a log line by it."""

import asyncio
import json
import re
import uuid
from dataclasses import replace
from urllib.parse import quote

import pytest

from tests.house.admin import ask, stories
from tests.house.fault_upstream import status
from tests.house.raw_client import eventually, request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def is_made_by_us(value: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f-]{32,36}", value)) and bool(uuid.UUID(value))


async def test_an_id_is_made_where_there_is_none(upstream, house):
    house = await house()
    answer = await house.fetch()
    given = answer.header("X-Request-ID")

    assert is_made_by_us(given)
    assert given == upstream.seen[0].header("X-Request-ID")
    assert given == (await house.event_of(answer))["request_id"]


OF_OTHERS = [
    pytest.param("|4bf92f3577b34da6a3ce929d0e0e4736.00f067aa0ba902b7.", id=".NET, hierarchical"),
    pytest.param("Root=1-67891233-abcdef012345678912345678", id="AWS"),
    pytest.param("YWJj/ZGVm+Z2g==", id="base64"),
    pytest.param("7f3a1c#42", id="Kong's counter"),
    pytest.param("user@host:8080/~a,b", id="whatever else"),
]


@pytest.mark.parametrize(
    "given",
    ["a", "A1._-z", "x" * 200, pytest.param(str(uuid.uuid4()), id="UUID"), *OF_OTHERS],
)
async def test_a_valid_id_is_kept(upstream, house, given):
    house = await house()
    answer = await house.fetch("/", f"X-Request-ID: {given}")
    event = await house.event_of(answer)

    assert given == answer.header("X-Request-ID") == upstream.seen[0].header("X-Request-ID")
    assert "client_request_id" not in event


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " ",
        "x" * 201,
        ".",
        "..",
        "x" * 10_000,
        "a b",
        "a'b",
        "<script>",
        'a"b',
        "caf\xe9",
        "a\\b",
        "a;b",
        "{}",
    ],
)
async def test_an_invalid_id_is_replaced_and_never_reflected(upstream, house, bad):
    house = await house()
    answer = await house.fetch("/", f"X-Request-ID: {bad}")
    given = answer.header("X-Request-ID")

    assert is_made_by_us(given)
    assert given == upstream.seen[0].header("X-Request-ID")
    if len(bad.strip()) > 3:
        assert bad.encode("latin-1") not in answer.head + upstream.seen[0].head


@pytest.mark.parametrize("given", OF_OTHERS)
async def test_an_id_with_signs_in_it_is_found_by_api_and_page(upstream, house, given):
    house = await house()
    await house.fetch("/", f"X-Request-ID: {given}")
    path = quote(given, safe="")
    (story,) = await stories(house.app.admin_port, path)
    shown = await ask(house.app.admin_port, f"/requests/{path}")
    listed = await ask(house.app.admin_port, "/requests")

    assert given == story["request_id"]
    assert 200 == shown.status
    assert f'href="/requests/{path}"'.encode() in listed.body


@pytest.mark.parametrize("given", ["a b", "caf\xe9", "x" * 300, 'a"b', "<script>"])
async def test_what_was_replaced_is_still_found_by_it(upstream, house, given):
    house = await house()
    answer = await house.fetch("/", f"X-Request-ID: {given}")
    sent = quote(given.encode("latin-1").decode("latin-1"), safe="")
    (story,) = await stories(house.app.admin_port, sent)

    assert answer.header("X-Request-ID") == story["request_id"]


async def test_a_hundred_at_once_under_one_id_are_a_hundred_stories(upstream, house, tmp_path):
    house = await house(store={"path": str(tmp_path / "stories.db"), "sample": 1})
    told = ("X-Request-ID: shared", f"traceparent: {PARENT}")
    await asyncio.gather(*(house.fetch(f"/{n}", *told) for n in range(100)))
    await eventually(lambda: len(house.all(request_id="shared")) == 100)
    await eventually(lambda: not house.app.diagnostics.store_state()["queued"])
    found = await stories(house.app.admin_port, "shared")
    page = await ask(house.app.admin_port, "/requests/shared")

    assert {f"/{n}" for n in range(100)} == {story["path"] for story in found}
    assert 100 == len(found)
    assert {TRACE} == {event["trace_id"] for event in house.all()}
    assert all(f"/{n}<".encode() in page.body for n in range(100))


PROVIDER = ("Request-ID: req_011", "CF-Ray: 8a7-FRA", "OpenAI-Request-ID: oai-1")


async def test_the_providers_ids_are_recorded_and_lead_to_the_story(upstream, house):
    house = await house()
    upstream.on("/", status(400, *PROVIDER))
    answer = await house.fetch("/")
    event = await house.event_of(answer)
    by_each = [await stories(house.app.admin_port, each.split(": ")[1]) for each in PROVIDER]

    assert "req_011" == event["upstream_request_id"]
    assert {"Request-ID": "req_011", "OpenAI-Request-ID": "oai-1", "CF-Ray": "8a7-FRA"} == event[
        "upstream_ids"
    ]
    assert [[event["request_id"]]] * 3 == [[s["request_id"] for s in each] for each in by_each]


async def test_the_providers_id_of_an_attempt_that_was_repeated_leads_there_too(upstream, house):
    house = await house()
    upstream.on("/", status(503, "Request-ID: req_first"), status(200, "Request-ID: req_second"))
    await house.fetch("/")
    (story,) = await stories(house.app.admin_port, "req_first")

    assert "req_second" == story["upstream_request_id"]
    assert {"Request-ID": "req_first"} == story["attempts"][0]["upstream_ids"]


async def test_which_headers_carry_them_is_a_setting(upstream, house):
    house = await house(identity={"upstream_ids": ["X-Their-ID"]})
    upstream.on("/", status(200, "X-Their-ID: t-1", "CF-Ray: 8a7-FRA"))
    event = await house.event_of(await house.fetch("/"))

    assert ("t-1", None) == (event["upstream_request_id"], event.get("upstream_ids"))


async def test_duplicates_are_replaced_by_one(upstream, house):
    house = await house()
    answer = await house.fetch("/", "X-Request-ID: one", "x-request-id: two")

    assert is_made_by_us(answer.header("X-Request-ID"))
    assert answer.header("X-Request-ID") == upstream.seen[0].header("X-Request-ID")


@pytest.mark.parametrize(
    "forged", ["a\r\nSet-Cookie: b", "a\nlog: forged", "a\rb", "a\0b", 'a","x":"y']
)
async def test_nothing_can_forge_a_header_or_a_log_line(upstream, house, forged):
    house = await house()
    async with house.client() as client:
        await client.send(f"GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: {forged}\r\n\r\n")
        answer = await client.answer()
    await house.event_of(answer)

    assert answer.header("Set-Cookie") is None
    assert answer.status in (200, 400)
    assert 1 == len(house.all())
    assert "forged" not in json.dumps(house.events)


async def test_always_new_keeps_the_clients_own_beside_it(upstream, house):
    house = await house(identity={"mode": "always_new"})
    answer = await house.fetch("/", "X-Request-ID: theirs")
    event = await house.event_of(answer)

    assert is_made_by_us(answer.header("X-Request-ID"))
    assert answer.header("X-Request-ID") == upstream.seen[0].header("X-Request-ID")
    assert "theirs" == event["client_request_id"]


@pytest.mark.parametrize(("network", "is_kept"), [("127.0.0.0/8", True), ("10.0.0.0/8", False)])
async def test_trust_from_keeps_it_from_those_only(upstream, house, network, is_kept):
    house = await house(identity={"mode": "trust_from", "trust_from": [network]})
    answer = await house.fetch("/", "X-Request-ID: theirs")
    event = await house.event_of(answer)

    assert is_kept == (answer.header("X-Request-ID") == "theirs")
    assert (None if is_kept else "theirs") == event.get("client_request_id")


async def test_the_header_has_the_name_that_was_set(upstream, house):
    house = await house(identity={"header": "X-Correlation-ID"})
    answer = await house.fetch("/", "X-Correlation-ID: mine")

    assert "mine" == answer.header("X-Correlation-ID")
    assert "mine" == upstream.seen[0].header("X-Correlation-ID")


@pytest.mark.parametrize(
    ("echoed", "noted"),
    [
        pytest.param(["X-Request-ID: mine"], None, id="our own comes back"),
        pytest.param(["X-Request-ID: theirs"], "theirs", id="another one"),
        pytest.param(["x-request-id: a", "X-Request-Id: b"], None, id="two"),
    ],
)
async def test_the_upstreams_echo_is_replaced_not_doubled(upstream, house, echoed, noted):
    house = await house()
    upstream.on("/", status(200, *echoed))
    answer = await house.fetch("/", "X-Request-ID: mine")
    event = await house.event_of(answer)

    assert ["mine"] == answer.all("X-Request-ID")
    assert noted is None or noted == event["upstream_request_id"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param("GET / HTTP/1.1\r\nX: a\r\n\r\n", 400, id="no Host"),
        pytest.param("garbage\r\n\r\n", 400, id="garbage"),
        pytest.param("GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", 404, id="no route"),
        pytest.param("DELETE /only HTTP/1.1\r\nHost: h\r\n\r\n", 405, id="no method"),
        pytest.param("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501, id="CONNECT"),
    ],
)
async def test_our_own_errors_carry_one_too(upstream, house, raw, status):
    house = await house(route={"match": {"path": "/only", "methods": ["GET"]}})
    async with house.client() as client:
        await client.send(raw)
        answer = await client.answer()
    event = await house.event_of(answer)

    assert (status, status) == (answer.status, event["status"])
    assert answer.header("X-Request-ID") == answer.json()["request_id"] == event["request_id"]


STATE = "a=1, b=" + "2" * 600


@pytest.mark.parametrize(
    ("told", "recorded"),
    [
        pytest.param([], (None, None), id="none is invented"),
        pytest.param([f"traceparent: {PARENT}"], (TRACE, SPAN), id="a sampled one"),
        pytest.param([f"TraceParent: {PARENT[:-2]}00"], (TRACE, SPAN), id="one not sampled"),
        pytest.param(
            [f"traceparent: {PARENT}", f"tracestate: {STATE}"], (TRACE, SPAN), id="a long state"
        ),
        pytest.param(["traceparent: garbage", "tracestate: a=1"], (None, None), id="a bad one"),
        pytest.param([f"traceparent: {PARENT}"] * 2, (None, None), id="two"),
    ],
)
async def test_a_trace_passes_untouched_and_is_recorded(upstream, house, told, recorded):
    house = await house()
    answer = await house.fetch("/", *told)
    seen, event = upstream.seen[0], await house.event_of(answer)
    passed = [
        f"{name}: {value}" for name, value in seen.headers if name.lower().startswith("trace")
    ]

    assert told == passed
    assert recorded == (event.get("trace_id"), event.get("span_id"))


async def test_fields_of_the_team_are_in_the_event(upstream, house):
    house = await house(
        observe={
            "fields": {
                "user_id": {"header": "X-User-Id", "hash": True},
                "page": {"query": "page"},
                "conversation_id": {"path": "/conversations/{id}"},
            }
        }
    )
    answer = await house.fetch("/conversations/c7?page=2", "X-User-Id: zoe-ruth")
    event = await house.event_of(answer)

    assert ("2", "c7") == (event["page"], event["conversation_id"])
    assert event["user_id"]
    assert "zoe" not in json.dumps(event)


async def test_a_canary_is_found_nowhere(upstream, house):
    canary, shape = "canary-7f3a9", "sk-canary7f3a9canary7f3a9canary"
    house = await house()
    upstream.on("/", status(500, f"Set-Cookie: s={canary}", body=canary.encode()))
    async with house.client() as client:
        await client.send(
            request(
                "POST", f"/?token={canary}&api_key={canary}&q={shape}",
                f"Authorization: Bearer {canary}", f"Cookie: session={canary}",
                f"X-Api-Key: {canary}", f"X-Secret-Thing: {canary}", f"User-Agent: x {shape}",
                f"X-Request-ID: {shape}", body=canary.encode(),
            )
        )  # fmt: skip
        await client.answer()
    await house.event()
    shown = [(await house.admin(path)).body for path in ("/metrics", "/health", "/metrics.json")]
    everything = json.dumps(house.events) + b"".join(shown).decode()

    assert "canary" not in everything


async def test_a_fault_of_ours_before_a_request_is_read_is_answered_and_recorded(upstream, house):
    def broken(_asked: object) -> dict[str, str]:
        raise ZeroDivisionError("of the scene's own")

    house = await house()
    house.app.forward.plan = replace(house.app.forward.plan, fields=broken)
    answer = await house.fetch("/x")
    event = await house.event("exchange")

    assert (500, "internal_error") == (answer.status, answer.header("X-Sidelight-Error"))
    assert event["request_id"] == answer.header("X-Request-ID")
    assert event["fault"].startswith("ZeroDivisionError at test_identity.py:")
    assert [] == upstream.seen
