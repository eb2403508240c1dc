"""A client's connection: its state, what arrives on it, and all that an exchange asks of it.

The loop tells it by `protocol`, `serving` takes requests off it, exchanges write to it, wait for
the client and break it off. Refuses to know what an exchange is or what it answers.
"""

import asyncio
from typing import Final, cast

from proxy import outcome as o
from proxy.client.exits import ClientExit
from proxy.client.intake import Intake
from proxy.client.output import Output
from proxy.client.owner import Bound, ConnectionLimits, Owner, PartingTransport, Refuse, Serve
from proxy.client.patience import Patience
from proxy.client.reading import Reading
from proxy.client.request_reader import RequestReader
from proxy.client.source import ClientSource
from proxy.client.states import CLOSED, CLOSING, DRAINING, EXCHANGE, FOLLOWERS, HEAD, NAMES, WAITING
from proxy.client.unread import UnreadBound
from proxy.clock import now
from proxy.http.trust import Peers
from proxy.timing.waiter import Waiter

LAST_READ: Final = 30.0
"""Seconds for which a client may leave what is queued unread once the connection is to close."""


class ClientConnection:
    """One connection of a client."""

    def __init__(
        self, owner: Owner, limits: ConnectionLimits, peers: Peers, serve: Serve, refuse: Refuse
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.state = WAITING
        self.serve, self.refuse = serve, refuse
        self.waiter = Waiter(self.loop)
        """The one wait for bytes of the client: its next request, or its body."""
        self.reader = RequestReader(limits)
        self.task: asyncio.Task[None] | None = None
        self.patience = Patience(limits.request_head)
        """With the next request, or the rest of its head."""
        self._owner, self._limits = owner, limits
        self.output = Output(self.loop)
        self.transport: asyncio.Transport | None = None
        """None before there is a connection, and once it is lost."""
        self.reading = Reading(self.loop)
        self.intake = Intake(owner, self.reader, self.reading)
        self._unread = UnreadBound()
        self.is_serving = False
        """Whether an exchange is under way; it may go on when the connection is lost."""
        self.outlives_client = False
        """Whether the exchange goes on when the client leaves."""
        self.gone_at: float | None = None
        """When it left, on the `now` clock; None while it is here."""
        self.exit: ClientExit = ""
        self.bound: dict[str, Bound] = {}
        """Connections to upstreams, by the upstream's name, that carry requests of this client and
        of nobody else."""
        self.source = ClientSource(peers)

    def __repr__(self) -> str:
        return f"<ClientConnection {self.source.address or '?'} {NAMES[self.state]}>"

    # What the loop tells, by `protocol`.

    def made(self, transport: asyncio.Transport) -> bool:
        """The connection is there; whether it is to be served."""
        self.source.connected(transport)
        self.transport = transport
        self.reading.begin(transport)
        self.output.begin(transport)
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
                if self.intake.drop(data):
                    self._pause()  # until its task looks: others' turn, however small the chunks
                self.waiter.wake()
            return
        reader.add(data)
        if state == EXCHANGE:
            if reader.body.has_news:
                self.waiter.wake()
            self.look_behind()
        elif reader.is_ready():
            self.waiter.wake()
        elif reader.has_begun:
            if state == WAITING:
                self.begin_head()
                self.waiter.shorten(self._limits.request_head)
            self.account_head()
        if reader.is_full:
            self._pause()

    def lost(self) -> None:
        """The connection is gone."""
        self.gone_at = now()
        self.enter(CLOSED)
        self.transport = None
        self.reading.close()
        self.output.lost()
        for bound in self.bound.values():
            bound.abort()
        self.bound = {}
        self.reader.body.fail(o.CLIENT_CLOSED_REQUEST, "client left while sending")
        self.reader.stop()
        self.intake.account()
        if not self.outlives_client:
            self.interrupt()
        self.waiter.close()
        self._unread.close()
        self._owner.lost(self)

    def paused(self) -> None:
        self.output.is_full = True

    def resumed(self) -> None:
        self.output.resumed()

    # What an exchange asks for.

    def write_last(self, data: bytes) -> None:
        """Queue bytes behind which nothing follows but the end of the connection."""
        is_tls = self.transport is not None and self.source.peer.scheme == b"https"
        if is_tls and self.reader.is_read:
            cast("PartingTransport", self.transport).write_last(data)
        else:
            self.output.write(data)

    def bound_unread(self, silence: float) -> None:
        """After an exchange: break the connection if the client does not take what is queued."""
        self._unread.start(self, self.output, silence)

    def resume_reading(self) -> None:
        """Read on, if there is room for what comes."""
        if self.reading.is_paused and not self.reader.is_full:
            self.reading.resume()

    def interrupt(self) -> None:
        """Raise CancelledError in the exchange under way, if there is one."""
        if self.is_serving and self.task is not None:
            self.task.cancel()

    def abort(self, *, reset: bool = False) -> None:
        """Break the connection: half an answer must not look like a whole one.

        With `reset` the client sees that it was broken, and not just an end.
        """
        if self.state < CLOSING:
            self.enter(CLOSING)
        self.output.abort(reset=reset)

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
        if self.transport is not None:
            self.transport.close()
            self.bound_unread(LAST_READ)
        self.waiter.wake()

    def finish(self) -> bool:
        """Close the writing side behind what is queued; False where that cannot be, as with TLS."""
        if self.transport is None or not self.transport.can_write_eof():
            return False
        self.transport.write_eof()
        return True

    def begin_head(self) -> None:
        """A part of a head is there: its clock begins."""
        self.enter(HEAD)
        self.patience.renew(self._limits.request_head)

    def begin_exchange(self) -> None:
        self.enter(EXCHANGE)
        self.is_serving = True

    def wait_again(self) -> None:
        """Wait for the next request: keep-alive begins."""
        self.enter(WAITING)
        self.patience.renew(self._limits.keep_alive)
        self._owner.idle(self)

    def look_behind(self) -> None:
        """Judge and count what waits behind the request under way; read on if there is room."""
        if not self.intake.look_behind():
            self._pause()

    def account_head(self) -> None:
        """Tell the owner how much of an unfinished head is here; one too many is refused."""
        if not self.intake.account_head():
            self.waiter.wake()

    def enter(self, state: int) -> None:
        """Be in another state. Raises RuntimeError where no transition leads there."""
        before = self.state
        if not FOLLOWERS[before] >> state & 1:
            raise RuntimeError(f"{self!r} cannot be {NAMES[state]} next")
        if before == WAITING:
            self._owner.busy(self)
        self.state = state

    def _pause(self) -> None:
        """Read no more for now; a client that leaves meanwhile is noticed all the same."""
        self.reading.pause(self.abort)
