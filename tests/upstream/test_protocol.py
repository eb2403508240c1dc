"""The states of a connection, callback by callback, without a loop that calls."""

import asyncio
import socket
from typing import Any

import pytest

from proxy.outcome import (
    STALE_CONNECTION,
    STREAM_RESET,
    STREAM_TRUNCATED,
    UPSTREAM_PROTOCOL_ERROR,
    UPSTREAM_RESET,
    UPSTREAM_WRITE_FAILED,
)
from proxy.upstream.connection import Connection
from proxy.upstream.pacing import CRUMBS
from proxy.upstream.protocol import HIGH_WATER, EndpointProtocol
from proxy.upstream.result import END_OF_BODY
from proxy.upstream.rules import UpstreamRule
from proxy.upstream.states import STATES, TRANSITIONS

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nhi"
LONG = OK + b"Content-Length: 9\r\n\r\nhi"
UNTIL_CLOSE = OK + b"\r\nhi"
SWITCH = b"HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
RESET = ConnectionResetError("reset by peer")


class FakeTransport:
    """Notes what is asked of it; calls nothing back."""

    def __init__(self):
        self.written = b""
        self.unsent = 0
        self.calls = []

    def write(self, data):
        self.written += data

    def is_closing(self):
        return "abort" in self.calls

    def get_write_buffer_size(self):
        return self.unsent

    def get_extra_info(self, name):
        return None

    def abort(self):
        self.calls.append("abort")

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")


class Owner:
    """A pool that keeps nothing."""

    stale_connections = 0

    def __init__(self):
        self.told = []

    def keep(self, connection):
        self.told.append("keep")

    def on_closed(self, connection):
        self.told.append("closed")


class Scene:
    """A connection, the fake transport under it and its owner."""

    def __init__(self, sock):
        self.owner = Owner()
        self.protocol = EndpointProtocol("http://a", UpstreamRule(endpoints=["http://a"]), sock)
        self.transport = FakeTransport()
        self.protocol.connection_made(self.transport)
        self.connection = Connection(self.protocol, self.owner)
        self.interim = []
        self.peer: Any = None

    @property
    def state(self):
        return TRANSITIONS.states[self.protocol.state]

    @property
    def outcome(self):
        failure = self.protocol.reader.failure
        return failure and failure.outcome

    def request(self, *, may_switch=False):
        self.connection.request(
            "GET", b"GET", may_switch=may_switch, interim=lambda head: self.interim.append(head)
        )

    def receive(self, *segments):
        for segment in segments:
            self.protocol.data_received(segment)

    def to(self, state):
        """Bring a new connection into that state."""
        match state:
            case "idle":
                self.to("done")
                self.connection.release()
            case "awaiting":
                self.request()
            case "body" | "failed":
                self.to("awaiting")
                self.receive(LONG)
                if state == "failed":
                    self.connection.give_up(STREAM_TRUNCATED, "why")
            case "tunnel":
                self.request(may_switch=True)
                self.receive(SWITCH)
            case "done":
                self.to("awaiting")
                self.receive(SHORT)
            case "closing":
                self.connection.abort()
            case "closed":
                self.connection.abort()
                self.protocol.connection_lost(None)
        assert state == self.state


@pytest.fixture
async def scene():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        scene = Scene(ours)
        scene.peer = theirs
        yield scene


@pytest.mark.parametrize("state", STATES)
async def test_a_connection_says_in_which_state_it_is(scene, state):
    scene.to(state)

    assert f"<connection to http://a: {state}>" == repr(scene.connection)


@pytest.mark.parametrize(
    ("state", "happens", "then"),
    [
        ("idle", lambda s: s.connection.take(), "taken"),
        ("idle", lambda s: s.receive(SHORT), "closing"),
        ("idle", lambda s: s.protocol.eof_received(), "closing"),
        ("taken", lambda s: s.request(), "awaiting"),
        ("taken", lambda s: s.connection.release(), "idle"),
        ("taken", lambda s: s.receive(SHORT), "closing"),
        ("awaiting", lambda s: s.receive(OK), "awaiting"),
        ("awaiting", lambda s: s.receive(b"HTTP/1.1 103 E\r\n\r\n"), "awaiting"),
        ("awaiting", lambda s: s.receive(LONG), "body"),
        ("awaiting", lambda s: s.receive(SHORT), "done"),
        ("awaiting", lambda s: s.receive(SWITCH), "failed"),
        ("awaiting", lambda s: s.receive(b"SSH"), "failed"),
        ("awaiting", lambda s: s.connection.release(), "closing"),
        ("awaiting", lambda s: s.protocol.eof_received(), "closing"),
        ("body", lambda s: s.receive(b"1234567"), "done"),
        ("body", lambda s: s.protocol.eof_received(), "closing"),
        ("body", lambda s: s.connection.release(), "closing"),
        ("tunnel", lambda s: s.receive(b"\x81\x00"), "tunnel"),
        ("tunnel", lambda s: s.protocol.eof_received(), "closing"),
        ("done", lambda s: s.connection.release(), "idle"),
        ("done", lambda s: s.receive(b"x"), "done"),
        ("done", lambda s: s.connection.give_up(UPSTREAM_RESET, "late"), "done"),
        ("done", lambda s: s.protocol.eof_received(), "closing"),
        ("failed", lambda s: s.receive(b"x"), "failed"),
        ("failed", lambda s: s.connection.give_up(UPSTREAM_RESET, "again"), "failed"),
        ("failed", lambda s: s.connection.release(), "closing"),
        ("closing", lambda s: s.request(), "closing"),
        ("closing", lambda s: s.connection.give_up(UPSTREAM_RESET, "late"), "closing"),
        ("closing", lambda s: s.receive(b"x"), "closing"),
        ("closing", lambda s: s.protocol.eof_received(), "closing"),
        ("closed", lambda s: s.request(), "closed"),
        ("closed", lambda s: s.connection.give_up(UPSTREAM_RESET, "late"), "closed"),
        ("closed", lambda s: s.connection.release(), "closed"),
    ],
)
async def test_what_happens_leads_to_the_next_state(scene, state, happens, then):
    scene.to(state)
    happens(scene)

    assert then == scene.state


@pytest.mark.parametrize("exc", [None, RESET])
@pytest.mark.parametrize("state", [state for state in STATES if state != "closed"])
async def test_a_lost_connection_is_closed_and_its_owner_is_told_once(scene, state, exc):
    scene.to(state)
    scene.owner.told.clear()
    scene.protocol.connection_lost(exc)

    assert "closed" == scene.state
    assert ["closed"] == scene.owner.told


@pytest.mark.parametrize("state", STATES)
async def test_aborting_is_possible_in_every_state(scene, state):
    scene.to(state)
    scene.connection.abort()

    assert scene.state in ("closing", "closed")
    assert scene.transport.is_closing()


@pytest.mark.parametrize(
    ("received", "end", "outcome"),
    [
        pytest.param(b"", None, UPSTREAM_RESET, id="nothing"),
        pytest.param(OK, RESET, UPSTREAM_RESET, id="half a head"),
        pytest.param(LONG, None, STREAM_TRUNCATED, id="half a body"),
        pytest.param(LONG, RESET, STREAM_RESET, id="half a body, reset"),
        pytest.param(UNTIL_CLOSE, None, None, id="a body until the end"),
        pytest.param(UNTIL_CLOSE, RESET, STREAM_RESET, id="a reset proves no end"),
        pytest.param(SHORT, RESET, None, id="all"),
    ],
)
async def test_what_an_end_means_depends_on_what_had_come(scene, received, end, outcome):
    scene.request()
    if received:
        scene.receive(received)
    scene.protocol.connection_lost(end)

    assert outcome is scene.outcome


async def test_an_end_while_more_is_to_be_sent_is_a_failed_write(scene):
    scene.request()
    scene.transport.unsent = 1
    scene.protocol.connection_lost(None)

    assert UPSTREAM_WRITE_FAILED is scene.outcome


async def test_a_reused_connection_that_answers_nothing_was_stale(scene):
    scene.to("idle")
    scene.connection.take()
    scene.request()
    scene.protocol.eof_received()
    failed = await scene.connection.head(5)

    assert STALE_CONNECTION is failed.outcome
    assert 1 == scene.owner.stale_connections


async def test_a_reused_connection_that_read_of_the_request_was_not_stale(scene):
    scene.to("idle")
    scene.connection.take()
    scene.request()
    scene.protocol.pause_writing()
    scene.protocol.resume_writing()
    scene.protocol.eof_received()

    assert UPSTREAM_RESET is scene.outcome


async def test_bytes_before_the_first_request_are_a_protocol_error(scene):
    scene.receive(b"220 smtp")

    assert UPSTREAM_PROTOCOL_ERROR is scene.outcome


async def test_what_came_before_anyone_waited_is_there_after_the_end(scene):
    scene.request()
    scene.receive(SHORT)
    scene.protocol.connection_lost(None)

    assert 200 == (await scene.connection.head(5)).status
    assert b"hi" == await scene.connection.read(5)
    assert END_OF_BODY is await scene.connection.read(5)


async def test_what_lies_in_the_kernel_when_a_write_fails_is_still_read(scene):
    scene.request()
    scene.peer.send(SHORT)
    scene.protocol.connection_lost(BrokenPipeError("write failed"))

    assert 200 == (await scene.connection.head(5)).status
    assert scene.connection.is_done


async def test_interim_heads_are_passed_on_before_what_follows_them(scene):
    scene.request()
    scene.receive(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 C\r\n\r\n" + SHORT)

    assert [(103, b"Early", [(b"Link", b"x")])] == [
        (head.status, head.reason, head.headers) for head in scene.interim
    ]
    assert 200 == (await scene.connection.head(5)).status


async def test_the_next_exchange_has_its_own_ear_for_interim_heads(scene):
    scene.to("idle")
    scene.connection.take()
    scene.connection.request("GET", b"GET")
    scene.receive(b"HTTP/1.1 103 Early\r\n\r\n")

    assert [] == scene.interim


async def test_reading_pauses_at_the_high_water_and_goes_on_when_it_is_taken(scene):
    scene.request()
    scene.receive(OK + b"Content-Length: 99999\r\n\r\n", b"x" * HIGH_WATER)
    assert [] == scene.transport.calls
    scene.receive(b"x")

    assert ["pause"] == scene.transport.calls
    assert HIGH_WATER + 1 == len(await scene.connection.read(5))
    assert ["pause", "resume"] == scene.transport.calls


async def test_a_closed_connection_holds_neither_its_parser_nor_its_owner(scene):
    """They hold it in turn: only the garbage collector would free them."""
    scene.to("body")
    scene.protocol.connection_lost(None)

    assert scene.protocol.reader._parser is None
    assert scene.protocol.on_closed is None


# Turns of the loop.


def fill(scene, data):
    """The loop reads `data`, or as much of it as it is given room for."""
    room = scene.protocol.get_buffer(-1)
    size = min(len(room), len(data))
    room[:size] = data[:size]
    scene.protocol.buffer_updated(size)
    return size


EVENTS = b"8\r\ndata:x\n\n\r\n" * 10_000


async def test_a_read_that_fills_its_room_is_the_last_of_this_turn(scene):
    scene.to("awaiting")
    scene.protocol.tap = lambda _: True
    scene.receive(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    fill(scene, EVENTS)
    before = list(scene.transport.calls)
    await asyncio.sleep(0)

    assert ["pause"] == before
    assert ["pause", "resume"] == scene.transport.calls


async def test_a_read_that_leaves_room_goes_on(scene):
    scene.to("body")
    scene.protocol.tap = lambda _: True
    fill(scene, b"x")

    assert [] == scene.transport.calls


async def test_a_pause_for_a_slow_client_outlasts_the_turn(scene):
    scene.to("awaiting")
    scene.protocol.tap = lambda _: False
    scene.receive(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    fill(scene, EVENTS)
    await asyncio.sleep(0)

    assert ["pause"] == scene.transport.calls


async def test_a_connection_that_is_lost_meanwhile_is_let_be(scene):
    scene.to("awaiting")
    fill(scene, OK + b"Transfer-Encoding: chunked\r\n\r\n" + EVENTS)
    scene.protocol.connection_lost(None)
    await asyncio.sleep(0)

    assert "resume" not in scene.transport.calls


async def test_a_body_in_crumbs_gets_less_room_until_it_is_none(scene):
    scene.to("awaiting")
    scene.protocol.tap = lambda _: True
    scene.receive(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    wide = fill(scene, EVENTS[:-1])
    narrow = fill(scene, EVENTS[wide:])
    still = fill(scene, EVENTS[wide + narrow :][:100])
    rest = fill(scene, b"%x\r\n" % wide + b"x" * wide)

    assert wide >= 4 * narrow
    assert (100, narrow) == (still, rest), "what fills the room is read, and no crumbs"
    assert wide == len(scene.protocol.get_buffer(-1))


async def test_crumbs_that_nobody_takes_get_less_room_too(scene):
    scene.to("awaiting")
    scene.receive(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    wide = fill(scene, EVENTS)

    assert wide >= 4 * len(scene.protocol.get_buffer(-1))


async def test_tiny_chunks_that_wait_are_kept_as_few_pieces(scene):
    """Each piece costs tens of bytes of its own."""
    scene.to("awaiting")
    scene.receive(OK + b"Transfer-Encoding: chunked\r\n\r\n", *[b"2\r\nhi\r\n" * 100] * 50)

    assert len(scene.protocol.reader.chunks) <= CRUMBS
    assert b"hi" * 5000 == scene.connection.take_buffered()


# Faults of ours.


async def test_a_fault_in_a_callback_is_ours_and_not_the_upstreams(scene):
    """Loops break a connection whose callback raises, and give it what was raised."""
    scene.to("body")
    scene.connection.take_buffered()
    scene.protocol.connection_lost(fault := ZeroDivisionError())

    with pytest.raises(ZeroDivisionError) as raised:
        await scene.connection.read(5)
    assert fault is raised.value


async def test_a_fault_at_the_end_of_a_body_is_no_end(scene):
    scene.to("done")
    scene.connection.take_buffered()
    scene.protocol.connection_lost(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await scene.connection.read(5)


async def test_a_fault_while_the_head_is_awaited_is_ours(scene):
    scene.to("awaiting")
    scene.protocol.connection_lost(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await scene.connection.head(5)
