"""NTLM and Negotiate: whom a connection to the upstream has greeted, it greets for ever."""

import pytest

from tests.house.raw_client import eventually


async def handshake(turn):
    """Challenges whoever authorizes himself, greets the connection that has been challenged."""
    known = turn.connection.__dict__.setdefault("known", [])
    said = turn.request.header("Authorization")
    if said is not None and not known:
        known.append(said)
        await turn.answer(401, "WWW-Authenticate: NTLM challenge")
    else:
        await turn.answer(200, body=b"known" if known else b"stranger")


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
async def test_a_connection_that_was_authenticated_is_never_shared(upstream, house, scheme):
    house = await house()
    upstream.on("/", handshake)
    async with house.client() as first, house.client() as second:
        challenged = await first.get("/", f"Authorization: {scheme} one")
        assert b"stranger" == (await second.get()).body
        greeted = await first.get("/", f"Authorization: {scheme} three")
        again = await first.get()
        assert b"stranger" == (await second.get()).body

        assert [401, 200, 200] == [one.status for one in (challenged, greeted, again)]
        assert b"known" == greeted.body == again.body
    assert [0, 1, 0, 0, 1] == [seen.connection for seen in upstream.seen]


async def test_it_ends_with_the_clients_connection(upstream, house):
    house = await house()
    upstream.on("/", handshake)
    async with house.client() as client:
        await client.get("/", "Authorization: NTLM one")
    await eventually(upstream.connections[0].gone.is_set)

    assert b"stranger" == (await house.fetch()).body


async def test_a_challenge_alone_keeps_the_connection_apart(upstream, house):
    async def challenge(turn):
        await turn.answer(401, "WWW-Authenticate: Basic realm=x", "WWW-Authenticate: Negotiate")

    house = await house()
    upstream.on("/x", challenge)
    async with house.client() as first:
        await first.get("/x")
        await house.fetch()
        await first.get("/x")

    assert [0, 1, 0] == [seen.connection for seen in upstream.seen]


async def test_where_the_upstream_closed_it_a_new_one_is_made(upstream, house):
    house = await house()
    upstream.on("/", handshake)
    async with house.client() as client:
        await client.get("/", "Authorization: NTLM one")
        upstream.connections[0].close()
        await upstream.connections[0].gone.wait()
        answer = await client.get()

    assert (200, b"stranger") == (answer.status, answer.body)
