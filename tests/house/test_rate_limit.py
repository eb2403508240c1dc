"""Who asks too often is told when to come back, and nobody else notices."""

import pytest

from tests.house.fault_upstream import status
from tests.house.raw_client import request

SLOW = [{"rate": "2/1h"}]


async def test_the_one_that_is_too_many_is_refused_and_told_when_to_come_back(upstream, house):
    house = await house(route={"rate_limit": SLOW})
    first, second, third = [await house.fetch("/", method="POST", body=b"x") for _ in range(3)]
    event = await house.event_of(third)

    assert [200, 200, 429] == [first.status, second.status, third.status]
    assert 2 == len(upstream.seen)
    assert third.json() == {
        "error": "rate_limited",
        "message": "You are sending messages too quickly. Please wait 1800 s.",
        "request_id": third.header("X-Request-ID"),
        "retryable": True,
        "retry_after": 1800,
    }
    assert "1800" == third.header("Retry-After")
    assert ("rate_limited", "PQ", "WARNING") == (event["code"], event["term"], event["level"])
    assert event["detail"].startswith("rate_limit all: no leave for ")
    assert event["detail"].endswith("(2/1h, burst 2, by address 127.0.0.1)")


async def test_every_answer_says_what_is_left(upstream, house):
    house = await house(route={"rate_limit": SLOW})
    answers = [await house.fetch() for _ in range(3)]

    assert ['"all";q=2;w=3600'] * 3 == [answer.header("RateLimit-Policy") for answer in answers]
    assert ['"all";r=1;t=1800', '"all";r=0;t=3600'] == [
        answer.header("RateLimit") for answer in answers[:2]
    ]
    assert answers[2].header("RateLimit").startswith('"all";r=0;t=3')


async def test_a_client_connection_goes_on_after_a_refusal(upstream, house):
    house = await house(route={"rate_limit": [{"rate": "1/1h"}]})
    async with house.client() as client:
        statuses = []
        for _ in range(3):
            await client.send(request("POST", "/", "Content-Length: 3") + b"abc")
            statuses.append((await client.answer()).status)

    assert [200, 429, 429] == statuses


async def test_a_forged_address_mints_no_bucket(upstream, house):
    house = await house(route={"rate_limit": [{"rate": "1/1h"}]})
    forged = ["X-Forwarded-For: 192.0.2.{}", "Forwarded: for=192.0.2.{}", "X-Real-IP: 192.0.2.{}"]
    first = await house.fetch("/")
    answers = [await house.fetch("/", line.format(n)) for n, line in enumerate(forged * 2)]

    assert 200 == first.status
    assert {429} == {answer.status for answer in answers}


async def test_behind_a_trusted_proxy_clients_are_told_apart_by_the_address_it_saw(upstream, house):
    house = await house(route={"rate_limit": [{"rate": "1/1h"}]}, trusted_proxies=["127.0.0.0/8"])

    async def ask(forwarded: str) -> int:
        return (await house.fetch("/", f"X-Forwarded-For: {forwarded}")).status

    assert [200, 429] == [await ask("192.0.2.1"), await ask("192.0.2.1")]
    assert [200, 429] == [await ask("192.0.2.2"), await ask("198.51.100.9, 192.0.2.2")]
    assert [200, 429] == [await ask("2001:db8::1"), await ask("2001:db8::ffff:1")]


@pytest.mark.parametrize(
    ("by", "lines"),
    [
        ({"header": "X-Api-Key"}, ("X-Api-Key: ann", "X-Api-Key: bob")),
        ({"cookie": "session"}, ("Cookie: a=1; session=ann", "Cookie: session=bob")),
        ({"field": "user_id"}, ("X-User: ann", "X-User: bob")),
    ],
)
async def test_clients_are_told_apart_by_what_they_send(upstream, house, by, lines):
    house = await house(
        route={"rate_limit": [{"rate": "1/1h", "by": by}]},
        observe={"fields": {"user_id": {"header": "X-User", "hash": True}}},
    )
    ann, bob = lines
    answers = [await house.fetch("/", line) for line in (ann, bob, ann)]
    event = await house.event_of(answers[2])

    assert [200, 200, 429] == [answer.status for answer in answers]
    assert "ann" not in event["detail"]


async def test_fields_of_the_upstream_stay_as_they_are(upstream, house):
    upstream.on("/", status(200, 'RateLimit: "theirs";r=1;t=5', "X-RateLimit-Remaining: 1"))
    house = await house(route={"rate_limit": SLOW})
    answer = await house.fetch()

    assert ['"theirs";r=1;t=5', '"all";r=1;t=1800'] == answer.all("RateLimit")
    assert "1" == answer.header("X-RateLimit-Remaining")


async def test_a_page_of_another_origin_may_read_them(upstream, house):
    page = "https://widget.example"
    house = await house(cors={"origins": [page]}, route={"rate_limit": [{"rate": "1/1h"}]})
    await house.fetch("/", f"Origin: {page}")
    answer = await house.fetch("/", f"Origin: {page}")
    exposed = answer.header("Access-Control-Expose-Headers").split(", ")

    assert (429, page) == (answer.status, answer.header("Access-Control-Allow-Origin"))
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed)


async def test_a_dry_run_passes_everything_on_and_records_whom_it_would_have_refused(
    upstream, house
):
    house = await house(route={"rate_limit": [{"rate": "1/1h", "dry_run": True}]})
    first, second = await house.fetch(), await house.fetch()
    events = [await house.event_of(answer) for answer in (first, second)]

    assert [200, 200] == [first.status, second.status]
    assert second.header("RateLimit") is None
    assert "would_refuse" not in events[0]
    assert events[1]["would_refuse"].startswith("rate_limit all: no leave for ")
    assert "completed" == events[1]["code"]


async def test_decisions_and_hits_are_counted(upstream, house):
    house = await house(route={"rate_limit": SLOW})
    for _ in range(5):
        await house.fetch()
    metrics = (await house.admin("/metrics")).body.decode()
    figures = (await house.admin("/metrics.json")).json()

    assert 'sidelight_rate_limit_decisions_total{decision="allowed",policy="all"} 2.0' in metrics
    assert 'sidelight_rate_limit_decisions_total{decision="refused",policy="all"} 3.0' in metrics
    assert 3 == figures["rate_limit_hits"]


async def test_a_refused_body_and_an_unknown_path_cost_nothing(upstream, house):
    house = await house(
        route={"rate_limit": [{"rate": "1/1h"}], "match": {"path": "/only"}}, max_body="1KiB"
    )
    refused = [await house.fetch("/only", method="POST", body=b"x" * 2000) for _ in range(3)]
    lost = await house.fetch("/else")

    assert [413, 413, 413, 404] == [answer.status for answer in (*refused, lost)]
    assert 200 == (await house.fetch("/only")).status
