"""The transport of a connection whose handshake is done: what is said over it, encrypted.

One TLS object in memory between a TCP transport and the protocol that is served. Keeps nothing of
its own: what cannot be sent waits in the TCP transport, what is not read is left to TCP.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

SHUTDOWN: Final = 30.0
"""Seconds for which an answer to our close_notify is waited for."""
RECORD: Final = 16 * 1024
"""Bytes that TLS sends at a time at most (RFC 8446 §5.1)."""
_OF_TLS: Final = frozenset({"ssl_object", "sslcontext"})


class TlsTransport:
    """What an `asyncio.Transport` has, as far as anybody here asks for it."""

    def __init__(
        self, tcp: asyncio.Transport, tls: ssl.SSLObject, incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> None:  # fmt: skip
        self._tcp, self._tls = tcp, tls
        self._read_into = cast("Callable[[int, memoryview], int]", tls.read)
        """As it is: a buffer of any kind will do, whatever its stub says."""
        self._incoming, self._outgoing = incoming, outgoing
        self._protocol: Any = None
        self._is_buffered = False
        """Whether the protocol brings its own buffer."""
        self._is_paused = False
        self._has_rest = False
        """Whether a record may hold more than was handed on of it: it filled the buffer."""
        self._is_closing = False
        self._has_parted = False
        """Whether we have said goodbye: nothing can be written behind it."""
        self._is_told = False
        """Whether the protocol knows that nothing more comes."""
        self._shutdown: asyncio.TimerHandle | None = None
        self._broken: ssl.SSLError | None = None
        """Why nothing more can be understood."""

    # What TCP tells, by the connection's protocol.

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Serve, beginning with what came behind the handshake."""
        self.set_protocol(protocol)
        protocol.connection_made(cast("asyncio.BaseTransport", self))
        self._read_on()

    def received(self, data: memoryview) -> None:
        """Bytes from the peer."""
        self._incoming.write(data)
        self._read_on()

    def ended(self) -> None:
        """The peer has closed its side of TCP."""
        self._read_on()
        self._end()

    def lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._is_closing = self._is_told = True
        if self._shutdown is not None:
            self._shutdown.cancel()
            self._shutdown = None
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connection_lost(exc or self._broken)

    def paused(self) -> None:
        """TCP takes no more for now."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resumed(self) -> None:
        """It does again."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    # What the protocol that is served asks for.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send; nothing happens once it closes."""
        if self._is_closing or self._has_parted or not data:
            return
        if len(data) <= RECORD:
            self._tls.write(data)
            self._tcp.write(self._outgoing.read())
            return
        view, records = memoryview(data), list[bytes]()
        for at in range(0, len(data), RECORD):  # one at a time: the buffer between never shrinks
            self._tls.write(view[at : at + RECORD])
            records.append(self._outgoing.read())
        self._tcp.writelines(records)

    def write_last(self, data: bytes) -> None:
        """Send the last of all: where it fits, our goodbye goes with it instead of behind it."""
        if self._is_closing or self._has_more or len(data) > RECORD:
            self.write(data)
            return
        if data:
            self._tls.write(data)
        self._part()

    def writelines(self, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send them in one."""
        self.write(b"".join(pieces))

    def can_write_eof(self) -> bool:
        """TLS has no half (RFC 8446 §6.1 allows one, and few clients take it so)."""
        return False

    def write_eof(self) -> None:
        """Refused."""
        raise NotImplementedError("TLS cannot close one half of a connection")

    def close(self) -> None:
        """Say goodbye behind what is queued; while something is, what comes is read and dropped.

        Else nobody waits for the peer's goodbye: to close with bytes unread could take away
        what is on its way, and whoever says goodbye has read ours.
        """
        if self._is_closing:
            return
        self._is_closing, self._is_paused = True, False
        if self._part() or self._is_told or not self._tcp.get_write_buffer_size():
            self._is_told = True
            self._tcp.close()
            return
        self._shutdown = asyncio.get_running_loop().call_later(SHUTDOWN, self.abort)
        self._tcp.resume_reading()

    def abort(self) -> None:
        """Break it off."""
        self._is_closing = True
        self._tcp.abort()

    def is_closing(self) -> bool:
        return self._is_closing or self._tcp.is_closing()

    def is_reading(self) -> bool:
        return not self._is_paused

    def pause_reading(self) -> None:
        self._is_paused = True
        if not self._is_closing:
            self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """What came in already follows in the loop's next turn."""
        self._is_paused = False
        self._tcp.resume_reading()
        if self._has_more:
            asyncio.get_running_loop().call_soon(self._read_on)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol
        self._is_buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return cast("asyncio.BaseProtocol", self._protocol)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._tcp.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._tcp.get_write_buffer_size()

    def get_extra_info(self, name: str, default: object = None) -> Any:
        if name in _OF_TLS:
            return self._tls if name == "ssl_object" else self._tls.context
        return self._tcp.get_extra_info(name, default)

    @property
    def _has_more(self) -> bool:
        return self._has_rest or self._incoming.pending > 0

    def _read_on(self) -> None:
        """Hand on what can be decrypted of what came in."""
        try:
            while not (self._is_paused or self._is_told) and self._has_more:
                self._read()
        except ssl.SSLWantReadError:  # half a record; or one of TLS's own, which may want an answer
            self._has_rest = False
            self._flush()
        except ssl.SSLError as error:  # forged, or no TLS at all: our alert says which
            self._broken = error
            self._is_closing = self._is_told = True
            self._flush()
            self._tcp.close()

    def _read(self) -> None:
        """One piece. Raises SSLWantReadError where none is whole."""
        if self._is_closing:
            if not self._tls.read(RECORD):
                self._end()
        elif self._is_buffered:
            room = self._protocol.get_buffer(-1)
            size = self._read_into(len(room), room)
            self._has_rest = size == len(room)
            if size:
                self._protocol.buffer_updated(size)
            else:
                self._end()
        elif data := self._tls.read(RECORD):
            self._protocol.data_received(data)
        else:
            self._end()

    def _end(self) -> None:
        """The peer says goodbye, or its side is closed."""
        if self._is_told:
            return
        self._is_told = True
        if self._is_closing:
            self._tcp.close()
            return
        self._protocol.eof_received()
        self.close()

    def _part(self) -> bool:
        """Say goodbye, once; whether the peer has said it as well. What it said before is
        dropped."""
        if self._has_parted:
            return False
        self._has_parted = True
        try:
            while self._has_more and self._tls.read(RECORD):
                pass
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._flush()
            return True
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            return True
        finally:
            self._flush()
        return True

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._tcp.write(self._outgoing.read())
