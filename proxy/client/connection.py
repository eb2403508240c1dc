"""A client's connection: its state, what arrives on it, and all that an exchange asks of it.

The loop tells it by `protocol`, `serving` takes requests off it, exchanges write to it, wait for
the client and break it off. Refuses to know what an exchange is or what it answers.
"""

import asyncio
from typing import Final

from proxy import outcome as o
from proxy.client.absence import AbsenceWatch
from proxy.client.output import Output
from proxy.client.owner import Bound, ConnectionLimits, Owner, Refuse, Serve
from proxy.client.request import RequestError
from proxy.client.request_reader import RequestReader
from proxy.client.states import (
    CLOSED,
    CLOSING,
    DRAINING,
    EXCHANGE,
    HEAD,
    NAMES,
    TUNNEL,
    WAITING,
    may_follow,
)
from proxy.clock import now
from proxy.http.head_writer import Peer
from proxy.http.trust import Peers
from proxy.timing.loop_lag import waited
from proxy.timing.progress import Progress
from proxy.timing.waiter import Waiter

LAST_READ: Final = 30.0
"""Seconds for which a client may leave what is queued unread once the connection is to close."""

_MAPPED = "::ffff:"
"""What an IPv4 address begins with on a socket that takes both kinds (RFC 4291 §2.5.5.2)."""


class ClientConnection:
    """One connection of a client."""

    def __init__(
        self, owner: Owner, limits: ConnectionLimits, peers: Peers, serve: Serve, refuse: Refuse
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.state = WAITING
        self.serve = serve
        self.refuse = refuse
        self.waiter = Waiter(self.loop)
        """The one wait for bytes of the client: its next request, or its body."""
        self.reader = RequestReader(limits)
        self.task: asyncio.Task[None] | None = None
        """Serves what comes on it."""
        self._since = now()
        """When waiting for the next request, or for the rest of its head, began."""
        self._patience = limits.request_head
        """Seconds that it may last."""
        self.held = 0
        """Bytes waiting for their turn, as last reported to the owner."""
        self.dropped = 0
        """Bytes read and dropped since the last answer."""
        self._owner = owner
        self._limits = limits
        self.peers = peers
        self._output: Output | None = None
        self._transport: asyncio.Transport | None = None
        self.is_paused = False
        self._absence: AbsenceWatch | None = None
        """Looks whether it has left, while it is not read."""
        self._unread: Progress | None = None
        """Of what it has not taken after an exchange; None where all is written."""
        self._unread_for = 0.0
        """Seconds for which it may take nothing of that."""
        self.is_serving = False
        """Whether an exchange is under way; it may go on when the connection is lost."""
        self.outlives_client = False
        """Whether the exchange goes on when the client leaves."""
        self.gone_at: float | None = None
        """When it left, on the `now` clock; None while it is here."""
        self.bound: dict[str, Bound] = {}
        """Connections to upstreams, by the upstream's name, that carry requests of this client and
        of nobody else."""
        self.peer = ""
        """Its address; empty where it has none."""
        self.source = Peer("")
        self.id_trusted = False

    def __repr__(self) -> str:
        return f"<ClientConnection {self.peer or '?'} {NAMES[self.state]}>"

    # What the loop tells, by `protocol`.

    def made(self, transport: asyncio.Transport) -> bool:
        """The connection is there; whether it is to be served."""
        peer = transport.get_extra_info("peername")
        self.peer = peer[0].removeprefix(_MAPPED) if peer else ""
        self.source = Peer(self.peer, self.peers.is_proxy(self.peer))
        self.id_trusted = self.peers.names_ids(self.peer)
        self._transport = transport
        self._output = Output(transport, self.loop)
        sock = transport.get_extra_info("socket")
        if not self._owner.opened(self, sock.fileno() if sock is not None else 0):
            self.close()
            return False
        self._owner.idle(self)
        return True

    def received(self, data: bytes) -> None:
        """Bytes from the client."""
        state, reader = self.state, self.reader
        if state > EXCHANGE:
            if state == DRAINING:
                self._drop(data)
            return
        reader.add(data)
        if state == EXCHANGE:
            self._received_ahead()
        elif reader.is_ready():
            self.waiter.wake()
        elif reader.has_begun:
            if state == WAITING:
                self.begin_head()
                self.waiter.shorten(self._limits.request_head)
            self.account()
        if reader.is_full:
            self.pause_reading()

    def lost(self) -> None:
        """The connection is gone."""
        self.gone_at = now()
        self.enter(CLOSED)
        self._transport = None
        if self._absence is not None:
            self._absence.close()  # it holds the connection
            self._absence = None
        if self._output is not None:
            self._output.lost()
        for bound in self.bound.values():
            bound.abort()
        self.bound = {}
        self.reader.body.fail(o.CLIENT_CLOSED_REQUEST, "client left while sending")
        self.reader.stop()
        self.account()
        if not self.outlives_client:
            self.interrupt()
        self.waiter.close()
        if self._unread is not None:
            self._unread.close()  # so does this
            self._unread = None
        self._owner.lost(self)

    def paused(self) -> None:
        if self._output is not None:
            self._output.is_full = True

    def resumed(self) -> None:
        if self._output is not None:
            self._output.resumed()

    # What an exchange asks for.

    def address(self, forwarded_for: bytes | None) -> str:
        """Who asks: the peer, or whom trusted proxies name."""
        if forwarded_for is None or not self.source.trusted:
            return self.peer
        return self.peers.origin(self.peer, forwarded_for)

    @property
    def is_full(self) -> bool:
        """Whether the client does not read: no more is to be written for now."""
        return self._output is not None and self._output.is_full

    @property
    def queued(self) -> int:
        """Bytes that wait for the client."""
        return 0 if self._output is None else self._output.queued

    def write(self, data: bytes) -> None:
        """Queue bytes for the client; nothing happens once it is gone."""
        if self._transport is not None:
            self._transport.write(data)

    async def drained(self, silence: float, limit: float) -> bool:
        """Wait until the client has read, or is gone.

        False if it took nothing for `silence` seconds, or not enough in `limit` seconds.
        """
        return self._output is None or await self._output.drained(silence, limit)

    def bound_unread(self, silence: float) -> None:
        """After an exchange: break the connection if the client does not take what is queued.

        Closing waits until all of it is written, for ever if need be.
        """
        if self._unread is None and self._output is not None and self._output.queued:
            self._unread_for = silence
            self._unread = self._output.progress(self._look_unread)
            if self._unread is not None:
                self._unread.watch(silence)

    def pause_reading(self) -> None:
        if not self.is_paused and self._transport is not None:
            self.is_paused = True
            self._transport.pause_reading()
            self._watch_absence(self._transport)

    def resume_reading(self) -> None:
        """Read on, if there is room for what comes."""
        if self.is_paused and self._transport is not None and not self.reader.is_full:
            self.is_paused = False
            if self._absence is not None:
                self._absence.stop()
            self._transport.resume_reading()

    def interrupt(self) -> None:
        """Raise CancelledError in the exchange under way, if there is one."""
        if self.is_serving and self.task is not None:
            self.task.cancel()

    def hand_over(self, to: asyncio.BaseProtocol) -> bytes:
        """HTTP is over: from now on `to` has the connection. Gives the bytes behind the request.

        Raises RequestError where the client has left.
        """
        transport = self._transport
        if transport is None:
            raise RequestError(o.CLIENT_CLOSED_STREAM, "left before the tunnel began")
        self.enter(TUNNEL)
        self.outlives_client = True  # `to` notices its leaving, and says so by `on_lost`
        early = self.reader.rest()
        self.account()
        transport.set_protocol(to)
        to.connection_made(transport)
        self.resume_reading()
        return early

    def on_lost(self, exc: Exception | None) -> bytes:  # noqa: ARG002 - as endpoints' connections
        """Whom it was handed over to says that it is lost. All that had arrived was read."""
        if self.state != CLOSED:
            self.lost()
        return b""

    def abort(self, *, reset: bool = False) -> None:
        """Break the connection: half an answer must not look like a whole one.

        With `reset` the client sees that it was broken, and not just an end.
        """
        if self.state < CLOSING:
            self.enter(CLOSING)
        if self._output is not None:
            self._output.abort(reset=reset)

    # What its owner and its task ask for.

    @property
    def carries_nothing(self) -> bool:
        """Whether it may be closed without harm to an exchange."""
        return self.state in (WAITING, HEAD, DRAINING)

    def close(self) -> None:
        """Close once all that is queued is written; an exchange is cut."""
        if self.state < CLOSING:
            self.enter(CLOSING)
            self.interrupt()
        if self._transport is not None:
            self._transport.close()
            self.bound_unread(LAST_READ)
        self.waiter.wake()

    def finish(self) -> bool:
        """Close the writing side behind what is queued; False where that cannot be, as with TLS."""
        if self._transport is None or not self._transport.can_write_eof():
            return False
        self._transport.write_eof()
        return True

    def begin_head(self) -> None:
        """A part of a head is there: its clock begins."""
        self.enter(HEAD)
        self._since, self._patience = now(), self._limits.request_head

    def begin_exchange(self) -> None:
        self.enter(EXCHANGE)
        self.is_serving = True

    def wait_again(self) -> None:
        """Wait for the next request: keep-alive begins."""
        self.enter(WAITING)
        self._since, self._patience = now(), self._limits.keep_alive
        self._owner.idle(self)

    def left(self) -> float:
        """Seconds for which the next request is still waited for; stalls of ours do not count."""
        at = now()
        took = at - self._since
        if took < self._patience:
            return self._patience - took
        return max(0.0, self._patience - waited(self._since, at))

    def look_behind(self) -> None:
        """Judge and count what waits behind the request under way; read on if there is room."""
        reader = self.reader
        if reader.held and reader.body.is_whole and not reader.may_switch:
            reader.is_ready()  # a fault is found at once, and what comes behind it not kept
        if self.is_paused:
            self.resume_reading()
        if reader.held or self.held:
            self.account()
        if reader.is_full:
            self.pause_reading()

    def account(self) -> None:
        """Tell the owner how much waits for its turn; what is too much for all is not taken."""
        held = self.reader.held
        more, self.held = held - self.held, held
        if self._owner.may_hold(more) or (more <= 0 and self.state != HEAD):
            return
        if self.state == HEAD:
            self.reader.refuse(o.OVERLOAD_SHED, "too much of unfinished requests is held")
            self.waiter.wake()
        else:
            self.pause_reading()

    def enter(self, state: int) -> None:
        """Be in another state. Raises RuntimeError where no transition leads there."""
        if not may_follow(self.state, state):
            raise RuntimeError(f"{self!r} cannot be {NAMES[state]} next")
        if self.state == WAITING:
            self._owner.busy(self)
        self.state = state

    def _received_ahead(self) -> None:
        """What came while an exchange is under way: its body, or what is to follow."""
        if self.reader.body.has_news:
            self.waiter.wake()
        self.look_behind()

    def _drop(self, data: bytes) -> None:
        self.dropped += len(data)
        reader = self.reader
        if not reader.is_over:
            reader.add(data)
            self.pause_reading()  # until its task looks: others' turn, however small the chunks
        self.waiter.wake()

    def _watch_absence(self, transport: asyncio.Transport) -> None:
        if self._absence is None:
            sock = transport.get_extra_info("socket")
            if sock is None or sock.fileno() < 0:
                return
            self._absence = AbsenceWatch(self.loop, sock.fileno(), self.abort)
        self._absence.start()

    def _look_unread(self) -> None:
        if self._unread is None:
            return
        if not self.queued:
            self._unread = None
        elif self._unread.is_made() or self.is_serving:
            self._unread.watch(self._unread_for)
        else:
            self.abort()  # while an exchange is under way it has clocks of its own
