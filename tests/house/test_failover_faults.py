"""What upstreams of language models do to their callers, fault by fault.

Every fault ends within its clocks, by a clean error or a rescued answer.
A truncated answer is never shown as a success. Healthy streams are never touched.

Clocks of silence are scaled by a hundred: 300 ms here are the 30 s of the defaults. That of the
whole is not, for it counts stalls of ours as well.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from proxy.clock import now
from proxy.timing.loop_lag import waited
from tests.house.fault_upstream import (
    Script,
    Turn,
    close_before_head,
    never,
    raw,
    reset_before_head,
    status,
)
from tests.house.raw_client import Answer
from tests.house.streams import stream

DONE = "data: [DONE]\n\n"
WORDS = [f'data: {{"word": "{word}"}}\n\n' for word in ("here", "is", "an", "answer")]
ANSWER = "".join(WORDS) + DONE
GOOD = stream(*[step for event in (*WORDS, DONE) for step in (event, 0.005)])
PING = ": ping\n\n"

CLOCKS = {
    "connect": "200ms",
    "head": "300ms",
    "first_event": "600ms",
    "gap": "300ms",
    "total": "20s",
    "max_stream": "9s",
}
MARKED = {"end_marker": {"mode": "strict", "data": "[DONE]"}}
CAUTIOUS = {"timeouts": CLOCKS, "route": {"stream": MARKED}}
"""A chat route as it comes: nothing that may have arrived is sent twice."""
RESCUING = {
    "timeouts": CLOCKS,
    "route": {"stream": MARKED | {"hold_first_event": True}},
    "retry": {
        "attempts": 3,
        "on": [
            *("connect", "stale", "reset", "write", "status"),
            *("head_timeout", "first_event_timeout"),
        ],
        "idempotency_key": True,
        "retry_after_cap": "100ms",
    },
}
"""One that opted in: the client names each message, and a stream is held until it begins."""

Verdict = Literal["whole", "told", "broken", "refused", "theirs"]


def verdict(answer: Answer) -> Verdict:
    """What a reader knows at the end of `answer`."""
    text = answer.body.decode().replace(PING, "")
    if answer.header("X-Sidelight-Error"):
        return "refused"
    if answer.end != "clean":
        return "broken"
    if answer.header("X-Request-ID") in text.rpartition("event: error\n")[2]:
        return "told"
    return "whole" if text == ANSWER else "theirs"


@dataclass(frozen=True)
class Fault:
    """What the upstream does, and what becomes of it on either route: verdict and code."""

    scripts: tuple[Script, ...]
    cautious: tuple[Verdict, str]
    rescuing: tuple[Verdict, str]
    bound: float = 2.0


def fault(name: str, *scripts: Script, cautious, rescuing=("whole", "completed"), **rest: Any):
    return pytest.param(Fault(scripts, cautious, rescuing, **rest), id=name)


def page(turn_body: bytes) -> Script:
    return status(200, "Content-Type: text/html", body=turn_body)


async def slow_first_token(turn: Turn) -> None:
    await stream(*[step for _ in range(4) for step in (PING, 0.1)], *WORDS, DONE)(turn)


TRICKLE = stream(*[step for byte in ANSWER for step in (byte, 0.001)])
HALF = "".join(WORDS[:2])
CUT = ("told", "stream_truncated")
LATE = ("refused", "first_event_timeout")

FAULTS = [
    fault("cut before the head", close_before_head, GOOD, cautious=("refused", "upstream_reset")),
    fault("cut after the head", stream(then="cut"), GOOD, cautious=CUT),
    fault("cut in mid-event", stream(HALF, 'data: {"wo', then="cut"), cautious=CUT, rescuing=CUT),
    fault(
        "stall before the first event", stream(PING, then="silent"), GOOD,
        cautious=("told", "first_event_timeout"),
    ),
    fault(
        "stall in the middle", stream(HALF, then="silent"),
        cautious=("told", "stream_stalled"), rescuing=("told", "stream_stalled"),
    ),
    fault("slow first token", slow_first_token, cautious=("whole", "completed")),
    fault(
        "malformed chunk", stream(HALF, then="malformed"),
        cautious=("told", "stream_malformed"), rescuing=("told", "stream_malformed"),
    ),
    fault(
        "wrong content type", page(b"<h1>Welcome</h1>"),
        cautious=("theirs", "completed"), rescuing=("theirs", "completed"),
    ),
    fault(
        "429 with Retry-After", status(429, "Retry-After: 30"), GOOD,
        cautious=("theirs", "upstream_error"), rescuing=("theirs", "upstream_error"),
    ),
    fault(
        "500 before the stream", status(500), GOOD,
        cautious=("theirs", "upstream_error"), rescuing=("theirs", "upstream_error"),
    ),
    fault("503 before the stream", status(503), GOOD, cautious=("theirs", "upstream_error")),
    fault(
        "200 with an error event", stream(HALF, 'event: error\ndata: {"error": "busy"}\n\n'),
        cautious=("theirs", "stream_error"), rescuing=("theirs", "stream_error"),
    ),
    fault("empty 200", stream(), cautious=CUT, rescuing=CUT),
    fault("silent upstream", never, GOOD, cautious=("refused", "head_timeout")),
    fault("slow trickle", TRICKLE, cautious=("whole", "completed")),
    fault(
        "two failures in a row", reset_before_head, status(503), GOOD,
        cautious=("refused", "upstream_reset"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
@pytest.mark.parametrize("kind", ["cautious", "rescuing"])
async def test_each_fault_ends_in_time_and_truthfully(upstream, house, case, kind):
    settings = CAUTIOUS if kind == "cautious" else RESCUING
    house = await house(**settings)
    upstream.on("/api/chat", *case.scripts)
    began = now()
    answer = await house.fetch("/api/chat", "Idempotency-Key: k1", method="POST", body=b'{"m": 1}')
    took = waited(began, now())
    event = await house.event_of(answer)
    expected = case.cautious if kind == "cautious" else case.rescuing

    assert expected == (verdict(answer), event["code"])
    assert took < case.bound
    assert len(upstream.seen) == event["attempts"], event["attempt_results"]
    assert {"POST"} == {seen.method for seen in upstream.seen}
    assert {b'{"m": 1}'} == {seen.body for seen in upstream.seen}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param("cautious", ("refused", "upstream_reset"), id="cautious"),
        pytest.param("rescuing", ("whole", "completed"), id="rescuing"),
    ],
)
async def test_a_kept_connection_that_dies_at_work(upstream, house, kind, expected):
    house = await house(**(CAUTIOUS if kind == "cautious" else RESCUING))
    upstream.on("/api/chat", close_before_head, GOOD)
    await house.fetch()
    answer = await house.fetch("/api/chat", "Idempotency-Key: k1", method="POST", body=b"{}")
    event = await house.event_of(answer)

    assert expected == (verdict(answer), event["code"])
    assert "closed" == await house.breaker()


async def test_a_short_429_is_waited_for_where_the_route_says_so(upstream, house):
    retry = RESCUING["retry"] | {"statuses": [429, 503]}
    house = await house(**(RESCUING | {"retry": retry}))
    upstream.on("/api/chat", status(429, "Retry-After: 0"), GOOD)
    answer = await house.fetch("/api/chat", "Idempotency-Key: k1", method="POST", body=b"{}")

    assert "whole" == verdict(answer)
    assert 2 == len(upstream.seen)


async def test_a_stream_that_breaks_after_it_began_is_never_tried_again(upstream, house):
    """The reader would get two beginnings."""
    house = await house(**RESCUING)
    upstream.on("/api/chat", stream(*WORDS, then="reset"), GOOD)
    answer = await house.fetch("/api/chat", "Idempotency-Key: k1", method="POST", body=b"{}")

    assert "told" == verdict(answer)
    assert 1 == len(upstream.seen)


def pings(seconds: float) -> list[str | float]:
    return [step for _ in range(int(seconds / 0.1)) for step in (0.1, PING)]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            stream(WORDS[0], *pings(0.9), *WORDS[1:], DONE), id="90 s of comments between events"
        ),
        pytest.param(stream(*pings(0.5), *WORDS, DONE), id="50 s of comments before the first"),
        pytest.param(TRICKLE, id="one byte at a time"),
        pytest.param(
            stream(*[step for _ in range(150) for step in (WORDS[0], 0.01)], DONE),
            id="longer than every clock but its own",
        ),
        pytest.param(stream(*[WORDS[0] * 200] * 200, DONE), id="forty thousand events at once"),
        pytest.param(
            raw(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + ANSWER, then="close"
            ),
            id="until the connection is closed",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["cautious", "rescuing"])
async def test_healthy_streams_are_never_touched(upstream, house, script, kind):
    house = await house(**(CAUTIOUS if kind == "cautious" else RESCUING))
    upstream.on("/api/chat", script)
    answer = await house.fetch("/api/chat", "Idempotency-Key: k1", method="POST", body=b"{}")
    event = await house.event_of(answer)

    assert "clean" == answer.end
    assert answer.body.decode().endswith(DONE)
    assert b"event: error" not in answer.body
    assert ("completed", 1, True) == (event["code"], event["attempts"], event["end_marker"])
    assert "closed" == await house.breaker()


async def test_a_hundred_readers_of_a_failing_upstream_all_know_what_happened(upstream, house):
    """Every third stream is cut; nobody's answer is another's, and nobody is lied to."""
    house = await house(route={"stream": MARKED}, breaker={"enabled": False})
    scripts = [GOOD if number % 3 else stream(HALF, then="cut") for number in range(100)]
    upstream.on("/api/chat", *scripts)
    answers = await asyncio.gather(
        *(house.fetch("/api/chat", method="POST", body=b"{}") for _ in range(100))
    )
    verdicts = [verdict(answer) for answer in answers]

    assert 66 == verdicts.count("whole")
    assert 34 == verdicts.count("told")
