"""What happened around a bad exchange: each pattern is brought about among good traffic of several
users and two endpoints, and the story says what is proven, what is likely, and nothing else.
"""

import pytest

from tests.house.admin import ask, stories
from tests.house.fault_upstream import Turn, never, status
from tests.house.neighbourhood import USERS, neighbourhood
from tests.house.raw_client import eventually, request
from tests.house.streams import stream

EVENT = "data: one\n\n"


def only(**wanted: str):
    """A script that fails requests with these headers, and answers others."""

    async def play(turn: Turn) -> None:
        is_wanted = all(turn.request.header(k.replace("_", "-")) == v for k, v in wanted.items())
        await turn.answer(500 if is_wanted else 200)

    return play


def words_of(story) -> str:
    return "\n".join(story["neighbours"]["words"])


async def test_one_item(upstream, house):
    async with neighbourhood(house, upstream) as around:
        around.on("/api/c-7781", status(500))
        await around.well(40)
        for n in range(6):
            bad = await around.ask("/api/c-7781", USERS[n % 5])
        story = await around.story(bad)

    assert "answered 500" in story["proven"]
    assert story["proven"].startswith(f"The endpoint {story['attempts'][0]['endpoint']} ")
    assert (
        "GET /api/c-7781: 6 of 6 answered 500, at both endpoints; all else on the route: 0 of 40"
        in words_of(story)
    )
    assert story["likely"].startswith("It is about this item, /api/c-7781")
    assert "endpoint" not in story["likely"]
    assert "user" not in story["likely"]
    (found,) = story["neighbours"]["findings"]
    assert (2, 2) == (len(found["bad"]), len(found["good"]))


async def test_one_endpoint(upstream, house):
    timeouts, kept = {"head": "150ms"}, {"ejection": {"failures": 99}}
    async with neighbourhood(house, upstream, upstream=kept, timeouts=timeouts) as around:
        await around.well(20)
        bad = []
        for n in range(10):
            around.two.on(f"/well/{n}", never)
            answer = await around.ask(f"/well/{n}", USERS[n % 5])
            bad += [answer] if answer.status == 504 else []
        story = await around.story(bad[-1])

    assert f"The endpoint {around.two.url} was sent the request" in story["proven"]
    assert (
        f"endpoint {around.two.url}: 5 of 15 ended as head_timeout; {around.one.url}: 0 of 15"
        in (words_of(story))
    )
    assert story["likely"].startswith(f"It is this endpoint, {around.two.url}")
    assert "user" not in story["likely"]


async def test_one_user(upstream, house):
    async with neighbourhood(house, upstream) as around:
        around.on("/api", only(X_User="u9"))
        await around.well(20)
        await around.well(10, path="/api")
        for _ in range(4):
            bad = await around.ask("/api", "u9")
        story = await around.story(bad)

    assert "user_id u9: 4 of 4 answered 500, at both endpoints; all else on the route: 0 of 30" in (
        words_of(story)
    )
    assert story["likely"].startswith("It is about user_id u9 alone")
    assert "item" not in story["likely"]


async def test_one_agent(upstream, house):
    async with neighbourhood(house, upstream) as around:
        around.on("/api", only(User_Agent="bot/2"))
        await around.well(20)
        await around.well(10, path="/api")
        for n in range(4):
            bad = await around.ask("/api", USERS[n], agent="bot/2")
        story = await around.story(bad)

    assert "the agent bot/2: 4 of 4 answered 500, at both endpoints; app/1: 0 of 30" in (
        words_of(story)
    )
    assert story["likely"].startswith("It is this kind of client, bot/2")
    assert "user_id" not in story["likely"]


async def test_everybody_since_then(upstream, house):
    async with neighbourhood(house, upstream) as around:
        await around.well(20)
        for n in range(6):
            around.on(f"/well/{n}", status(500))
            bad = await around.ask(f"/well/{n}", USERS[n % 5])
        story = await around.story(bad)

    since = story["neighbours"]["first_at"][11:19]
    assert "6 of 26 on the route all answered 500" in words_of(story)
    assert story["likely"] == (
        f"Something changed at {since}, for everybody on the route: before it was well."
    )
    assert "this endpoint" not in story["likely"]


async def test_only_new_connections(upstream, house):
    met: set[tuple[int, int]] = set()

    async def refuses_new(turn: Turn) -> None:
        connection = (id(turn.connection.upstream), turn.connection.number)
        is_new = connection not in met
        met.add(connection)
        closing = ("Connection: close",) if "close" in turn.request.target else ()
        await turn.answer(404 if is_new else 200, *closing)

    async with neighbourhood(house, upstream) as around:
        around.on("/api", refuses_new)
        bad = []
        for n in range(48):
            answer = await around.ask("/api?close" if n % 8 > 5 else "/api", USERS[n % 5])
            bad += [answer] if answer.status == 404 else []
        story = await around.story(bad[-1])

    assert "new connections" in words_of(story)
    assert "reused: 0 of" in words_of(story)
    assert story["likely"].startswith("It is about new connections: kept ones seldom or never")


async def test_only_streams(upstream, house):
    async with neighbourhood(house, upstream, timeouts={"gap": "100ms"}) as around:
        around.on("/stream", stream(EVENT, then="silent"))
        await around.well(20)
        for n in range(3):
            bad = await around.ask("/stream", USERS[n], agent="app/1")
            await around.well(2, path="/stream-not")
        story = await around.story(bad)

    found = story["neighbours"]["findings"]
    assert {"stream": "stream"} in [each["fields"] for each in found]
    assert (
        "stream stream: 3 of 3 ended as stream_stalled, at both endpoints; plain: 0 of "
        in words_of(story)
    )
    assert "cannot be told apart" in story["likely"]  # it is also one path


async def test_a_client_that_leaves(upstream, house):
    async with neighbourhood(house, upstream) as around:
        around.on("/stream", stream(EVENT, then="silent"))
        await around.well(20)
        for n in range(3):
            async with around.house.client() as client:
                await client.send(
                    request("GET", "/stream", "X-User: u9", f"X-Request-ID: left-{n}")
                )
                await client.until(b"one\n\n")
            await around.house.event(request_id=f"left-{n}")
        (story,) = await stories(around.house.app.admin_port, "left-2")

    assert (3, 3) == (story["neighbours"]["exits"]["left"], story["neighbours"]["exits"]["all"])
    assert "this client (user_id u9) left 3 of its 3 streams, after" in words_of(story)
    assert story["proven"].startswith("The client left after")
    assert "failure" not in story["proven"]


async def test_what_nothing_separates_is_not_explained(upstream, house):
    """One bad one among many says nothing of its kind."""
    async with neighbourhood(house, upstream) as around:
        around.on("/once", status(500))
        await around.well(20)
        story = await around.story(await around.ask("/once", "u1"))

    assert "1 of 21 on the route all answered 500" in words_of(story)
    assert words_of(story).endswith("too few to compare")
    assert [] == story["neighbours"]["findings"]
    assert "Nothing that was recorded points to a cause." == story["likely"]


async def test_the_store_tells_the_same_after_a_restart(upstream, house, tmp_path):
    store = {"store": {"path": str(tmp_path / "s.db"), "sample": 1.0}}
    async with neighbourhood(house, upstream, **store) as around:
        around.on("/api/c-7781", status(500))
        await around.well(30)
        for n in range(4):
            bad = await around.ask("/api/c-7781", USERS[n])
        before = await around.story(bad)
        await around.house.app.stop()
        around.house = await house(upstream={"endpoints": [upstream.url]}, **store)
        after = await around.story(bad)

    for part in ("neighbours", "culprits", "usual", "proven", "likely", "next_check"):
        assert before[part] == after[part]


async def test_what_is_usual_outlives_a_restart(upstream, house, tmp_path):
    store = {"store": {"path": str(tmp_path / "s.db")}}
    async with neighbourhood(house, upstream, **store) as around:
        await around.well(40)
        await around.house.app.stop()
        around.house = await house(upstream={"endpoints": [upstream.url]}, **store)
        await eventually(lambda: around.house.app.diagnostics._is_restored)
        story = await around.story(await around.ask("/", "u1"))

    assert story["usual"]["head"]["p50_ms"] > 0
    assert story["usual"]["size"]["p50_bytes"] > 0


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "the nearest"])
async def test_where_it_parts_from_a_good_one(upstream, house, is_named):
    async with neighbourhood(house, upstream) as around:
        around.on("/api", only(X_User="u9"))
        await around.well(10)
        good = await around.ask("/api", "u1")
        bad = await around.ask("/api", "u9")
        reference, other = (each.header("X-Request-ID") for each in (bad, good))
        question = f"?good={other}" if is_named else ""
        answer = await ask(
            around.house.app.admin_port, f"/api/requests/{reference}/against{question}"
        )
        parting = answer.json()

    assert (other, not is_named) == (parting["good"], parting["proposed"])
    assert "attempt 1" == parting["parts_at"]
    differing = {(each["step"], each["fact"]) for each in parting["facts"] if each["differs"]}
    assert {("asked", "user_id"), ("attempt 1", "status"), ("end", "code")} <= differing
    assert "status 500, not 200" in parting["words"]


async def test_an_id_of_which_there_is_no_story_is_named(upstream, house):
    async with neighbourhood(house, upstream) as around:
        reference = (await around.ask("/", "u1")).header("X-Request-ID")
        answer = await ask(
            around.house.app.admin_port, f"/api/requests/{reference}/against?good=nobody"
        )

    assert 404 == answer.status
    assert "No story is kept of nobody" in answer.json()["message"]
