"""Routes by header and query, over real sockets, with what is told where none fits."""

import json

from tests.house.admin import stories

BIG = {
    "name": "big",
    "match": {"path": "/chat", "headers": {"X-Model": ["big", "huge"]}},
    "upstream": "chat",
}
BETA = {
    "name": "beta",
    "match": {"path": "/chat", "methods": ["POST"], "query": {"beta": "*"}},
    "upstream": "chat",
}


async def test_header_and_query_choose_the_route(house):
    house = await house(more_routes=[BIG, BETA])
    asked = [("/chat", "X-Model: huge"), ("/chat?beta=1", "X-A: b"), ("/chat", "X-Model: small")]
    answers = [await house.fetch(path, header, method="POST") for path, header in asked]
    events = [await house.event_of(answer) for answer in answers]

    assert ["big", "beta", "all"] == [event["route"] for event in events]


async def test_where_no_route_fits_the_record_says_what_was_missing_and_no_value(house):
    house = await house(route={"match": {"path": "/rest"}}, more_routes=[BIG, BETA])
    answer = await house.fetch("/chat", "X-Model: my-own")
    event = await house.event_of(answer)
    reference = answer.header("X-Request-ID")
    story = json.dumps(await stories(house.app.admin_port, reference))

    assert (404, "route_not_found") == (answer.status, event["code"])
    assert "big: header x-model is not big or huge" == event["detail"]
    assert "header x-model is not big or huge" in story
    assert "my-own" not in story
    assert "x-model" not in answer.body.decode()


async def test_a_preflight_finds_the_route_of_the_headers_it_announces(house):
    cors = {"origins": ["https://app.example"]}
    house = await house(route={"match": {"path": "/rest"}}, more_routes=[BIG | {"cors": cors}])
    answer = await house.fetch(
        "/chat",
        "Origin: https://app.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: content-type,x-model",
        method="OPTIONS",
    )

    assert 204 == answer.status
    assert "https://app.example" == answer.header("Access-Control-Allow-Origin")


async def test_a_route_that_a_header_guards_is_not_reached_by_an_encoded_slash(house):
    guarded = {"name": "admin", "match": {"path": "/admin/", "headers": {"X-Staff": "*"}}}
    house = await house(more_routes=[guarded | {"upstream": "chat"}])
    answer = await house.fetch("/admin%2fx", "X-Staff: yes")

    assert (400, "bad_request") == (answer.status, answer.header("X-Sidelight-Error"))
