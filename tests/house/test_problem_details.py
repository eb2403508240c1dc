"""Errors in the form that the client's library knows: problem details (RFC 9457)."""

import pytest

from tests.house.fault_upstream import reset_before_head, status

ACCEPTS = "Accept: application/problem+json"
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("settings", "accept", "kind"),
    [
        pytest.param({}, ["Accept: application/json"], "application/json", id="by default"),
        pytest.param({}, [ACCEPTS], PROBLEM, id="asked for"),
        pytest.param({"errors": {"format": "problem"}}, [], PROBLEM, id="for everybody"),
    ],
)
async def test_who_is_answered_by_problem_details(upstream, house, settings, accept, kind):
    house = await house(**settings)
    upstream.on("/", reset_before_head)
    answer = await house.fetch("/", *accept, method="POST")
    body = answer.json()

    assert (502, kind) == (answer.status, answer.header("Content-Type"))
    assert ("upstream_reset", answer.header("X-Request-ID")) == (body["error"], body["request_id"])
    assert ("instance" in body) == (kind == PROBLEM)


async def test_what_was_no_request_is_answered_so_too(upstream, house):
    house = await house(errors={"format": "problem"})
    async with house.client() as client:
        await client.send("garbage\r\n\r\n")
        answer = await client.answer()

    assert (PROBLEM, 400) == (answer.header("Content-Type"), answer.json()["status"])


async def test_a_masked_error_too(upstream, house):
    house = await house(route={"mask_upstream_errors": True})
    upstream.on("/", status(500, body=b"secret words"))
    answer = await house.fetch("/", ACCEPTS)

    assert (500, 500, PROBLEM) == (
        answer.status,
        answer.json()["status"],
        answer.header("Content-Type"),
    )


async def test_the_instance_is_the_reference_id_encoded(upstream, house):
    house = await house(route={"match": {"path": "/only"}})
    answer = await house.fetch("/", ACCEPTS, "X-Request-ID: |a/b=")

    assert ("%7Ca%2Fb%3D", "|a/b=") == (answer.json()["instance"], answer.json()["request_id"])
