"""`/health` is degraded while an upstream fails, and not because of one bad answer."""

from tests.house.fault_upstream import reset_before_head, sse, status

UNBROKEN = {"retry": {"attempts": 1}, "breaker": {"enabled": False}}
CUT = sse("data: one\n\n", end=False)


async def health(house) -> tuple[int, dict]:
    answer = await house.admin("/health")
    return answer.status, answer.json()["upstreams"]["chat"]


async def test_one_cut_stream_among_good_answers_is_no_503(upstream, house):
    house = await house(**UNBROKEN)
    upstream.on("/", status(200), CUT, status(200), CUT, CUT)
    seen = []
    for _ in range(5):
        await house.event_of(await house.fetch())
        seen.append(await health(house))

    assert [200] * 5 == [code for code, _ in seen]
    assert [0, 1, 0, 1, 2] == [told["failures"] for _, told in seen]


async def test_three_failures_in_a_row_are_and_one_good_answer_ends_it(upstream, house):
    house = await house(**UNBROKEN)
    upstream.on("/", *[reset_before_head] * 3, status(200))
    for _ in range(3):
        await house.event_of(await house.fetch())
    code, told = await health(house)
    await house.event_of(await house.fetch())

    assert (503, "failing") == (code, told["status"])
    assert ("upstream_reset", 3) == (told["reason"], told["failures"])
    assert told["since"]
    assert (200, "connected") == ((healed := await health(house))[0], healed[1]["status"])


async def test_attempts_count_and_not_exchanges(upstream, house):
    house = await house(breaker={"enabled": False}, retry={"attempts": 3})
    upstream.on("/", reset_before_head)
    await house.event_of(await house.fetch())

    assert (503, 3) == ((seen := await health(house))[0], seen[1]["failures"])
