"""A fault of ours is ours by name, wherever on the way it happens."""

from dataclasses import replace

import pytest

from tests.house.raw_client import request
from tests.house.streams import stream, the_error

FIRST = "data: 1\n\n"


class FaultyWatcher:
    """Fails when it is told of a silence, within the callback of the upstream's connection."""

    def __init__(self, inner):
        self.inner = inner

    def stream_gaps(self, x):
        def fail(_seconds):
            raise ZeroDivisionError

        return fail

    def stream_started(self, x):
        self.inner.stream_started(x)

    def stream_progress(self, x):
        self.inner.stream_progress(x)


@pytest.mark.parametrize("last", ["alone", "with the end of the body"])
async def test_a_fault_while_a_stream_is_passed_on_is_an_internal_error(upstream, house, last):
    house = await house()
    plan = house.app.forward.plan
    house.app.forward.plan = replace(plan, watcher=FaultyWatcher(plan.watcher))
    if last == "alone":
        upstream.on("/", stream(FIRST, 0.05, FIRST, then="silent"))
    else:
        whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(FIRST), FIRST.encode())

        async def script(turn):
            await turn.begin_chunked("Content-Type: text/event-stream")
            await turn.send(b"%x\r\n%b\r\n" % (len(FIRST), FIRST.encode()), whole, between=0.05)

        upstream.on("/", script)
    async with house.client() as client:
        await client.send(request("GET", "/"))
        answer = await client.answer()
    event = await house.event_of(answer)

    assert ("internal_error", "CRITICAL") == (event["code"], event["level"])
    assert "ZeroDivisionError" in str(event["fault"])
    assert "internal_error" == the_error(answer)["error"]
    assert "closed" == await house.breaker()
