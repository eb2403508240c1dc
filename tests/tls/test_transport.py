"""What is said over TLS once the handshake is done: the peer is the ssl module, in memory."""

import asyncio
import ssl
from contextlib import suppress

import pytest

from proxy.tls.files import port_context
from proxy.tls.rules import PortTls
from proxy.tls.transport import RECORD, TlsTransport


class Tcp:
    """A TCP transport that keeps what it is given."""

    def __init__(self):
        self.sent = bytearray()
        self.calls = []
        self.writes = 0
        self.queued = 0
        """Bytes that the kernel has not taken yet."""

    def get_write_buffer_size(self):
        return self.queued

    def write(self, data):
        self.sent += data
        self.writes += 1

    def writelines(self, pieces):
        self.sent += b"".join(pieces)

    def get_extra_info(self, name, default=None):
        return {"peername": ("192.0.2.1", 1)}.get(name, default)

    def is_closing(self):
        return "close" in self.calls

    def __getattr__(self, name):
        return lambda *_: self.calls.append(name)


class Served(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self):
        self.got = bytearray()
        self.told = []

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.got += data

    def eof_received(self):
        self.told.append("eof")

    def connection_lost(self, exc):
        self.told.append(exc)

    def pause_writing(self):
        self.told.append("pause")

    def resume_writing(self):
        self.told.append("resume")


class ServedFromBuffer(Served, asyncio.BufferedProtocol):
    """As ours are."""

    def __init__(self):
        super().__init__()
        self.room = bytearray(1000)

    def get_buffer(self, _):
        return memoryview(self.room)

    def buffer_updated(self, size):
        self.got += self.room[:size]

    data_received = None


class Dialogue:
    """Both sides, the handshake done."""

    def __init__(self, authority, protocol, version=ssl.TLSVersion.TLSv1_3):
        pair = authority.server()
        ours = port_context(PortTls(certificate=str(pair.certificate), key=str(pair.key)))
        theirs = ssl.create_default_context(cafile=authority.certificate)
        theirs.maximum_version = version
        self.from_peer, self.to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = ours.wrap_bio(incoming, outgoing, server_side=True)
        self.peer = theirs.wrap_bio(self.to_peer, self.from_peer, server_hostname="localhost")
        for _ in range(2):
            shake(self.peer)
            incoming.write(self.from_peer.read())
            shake(tls)
            self.to_peer.write(outgoing.read())
        self.tcp, self.served = Tcp(), protocol()
        self.port = TlsTransport(self.tcp, tls, incoming, outgoing)
        self.port.begin(self.served)

    def say(self, data=b""):
        """The peer says it, and what else it has to send goes with it."""
        if data:
            self.peer.write(data)
        self.port.received(memoryview(self.from_peer.read()))

    def heard(self):
        """What the peer understands of all that was sent; None behind a goodbye."""
        self.to_peer.write(self.tcp.sent)
        self.tcp.sent.clear()
        got = bytearray()
        try:
            while data := self.peer.read():
                got += data
        except ssl.SSLWantReadError:
            return bytes(got)
        return None

    def say_goodbye(self):
        with pytest.raises(ssl.SSLWantReadError):
            self.peer.unwrap()
        self.say()


def shake(side):
    with suppress(ssl.SSLWantReadError):
        side.do_handshake()


@pytest.fixture(params=[Served, ServedFromBuffer])
async def dialogue(request, authority):
    return Dialogue(authority, request.param)


@pytest.mark.parametrize("size", [1, RECORD, RECORD + 1, 5 * RECORD])
async def test_both_understand_each_other(dialogue, size):
    text = bytes(n % 251 for n in range(size))
    dialogue.port.write(text)
    dialogue.say(text)

    assert text == dialogue.heard()
    assert text == dialogue.served.got


async def test_pieces_are_sent_in_order(dialogue):
    dialogue.port.writelines([b"one ", memoryview(b"two "), bytearray(b"three")])
    dialogue.port.write(b"")

    assert b"one two three" == dialogue.heard()


async def test_who_pauses_is_handed_nothing_and_then_the_rest(dialogue):
    dialogue.port.pause_reading()
    dialogue.say(b"a" * 3000)

    assert b"" == dialogue.served.got
    assert not dialogue.port.is_reading()
    dialogue.port.resume_reading()
    await asyncio.sleep(0)
    assert b"a" * 3000 == dialogue.served.got
    assert ["pause_reading", "resume_reading"] == dialogue.tcp.calls


async def test_the_goodbye_goes_with_the_last(dialogue):
    dialogue.port.write_last(b"last")
    assert 1 == dialogue.tcp.writes
    dialogue.port.write(b"too late")
    dialogue.port.close()

    assert 1 == dialogue.tcp.writes
    assert "close" in dialogue.tcp.calls
    dialogue.to_peer.write(dialogue.tcp.sent)
    assert b"last" == dialogue.peer.read()
    assert b"" == dialogue.peer.read()


async def test_no_goodbye_goes_with_the_last_while_more_is_to_be_read(dialogue):
    """It would take away what the peer has sent."""
    dialogue.port.pause_reading()
    dialogue.say(b"more")
    dialogue.port.write_last(b"last")

    assert b"last" == dialogue.heard()
    dialogue.port.resume_reading()
    await asyncio.sleep(0)
    assert b"more" == dialogue.served.got


async def test_of_what_filled_the_buffer_nothing_is_left(dialogue):
    dialogue.say(b"a" * len(ServedFromBuffer().room))
    dialogue.port.write_last(b"last")

    dialogue.to_peer.write(dialogue.tcp.sent)
    assert b"last" == dialogue.peer.read()
    assert b"" == dialogue.peer.read()


async def test_a_last_that_fits_into_no_record_goes_before_the_goodbye(dialogue):
    dialogue.port.write_last(b"x" * (RECORD + 1))
    assert RECORD + 1 == len(dialogue.heard())
    dialogue.port.close()

    assert None is dialogue.heard()


async def test_our_goodbye_waits_for_nobody_where_all_is_sent(dialogue):
    dialogue.port.close()

    assert None is dialogue.heard()
    assert "close" in dialogue.tcp.calls
    dialogue.peer.unwrap()
    dialogue.say()
    assert [] == dialogue.served.told


async def test_behind_what_is_queued_our_goodbye_waits_for_the_peers(dialogue):
    dialogue.tcp.queued = 1
    dialogue.port.close()

    assert None is dialogue.heard()
    assert "close" not in dialogue.tcp.calls
    dialogue.peer.unwrap()
    dialogue.say()
    assert "close" in dialogue.tcp.calls
    assert [] == dialogue.served.told


async def test_the_end_of_tcp_stands_for_the_peers_goodbye(dialogue):
    dialogue.tcp.queued = 1
    dialogue.port.close()
    dialogue.port.ended()

    assert "close" in dialogue.tcp.calls
    assert [] == dialogue.served.told


async def test_a_goodbye_is_said_and_waited_for_once(dialogue):
    dialogue.tcp.queued = 1
    dialogue.port.close()
    waiting = dialogue.port._shutdown
    dialogue.port.close()

    assert (1, waiting) == (dialogue.tcp.writes, dialogue.port._shutdown)
    dialogue.port.lost(None)


async def test_what_was_forged_and_not_read_lets_nobody_wait(dialogue):
    dialogue.tcp.queued = 1
    dialogue.port.pause_reading()
    dialogue.peer.write(b"honest")
    forged = bytearray(dialogue.from_peer.read())
    forged[-1] ^= 1
    dialogue.port.received(memoryview(forged))
    dialogue.port.close()

    assert "close" in dialogue.tcp.calls
    with pytest.raises(ssl.SSLError, match="ALERT_BAD_RECORD_MAC"):
        dialogue.heard()


async def test_what_tcp_does_not_take_is_told_until_nobody_is_served(dialogue):
    dialogue.port.set_write_buffer_limits(high=1)
    dialogue.tcp.queued = 7
    assert (["set_write_buffer_limits"], 7) == (
        dialogue.tcp.calls, dialogue.port.get_write_buffer_size(),
    )  # fmt: skip
    dialogue.port.paused()
    dialogue.port.resumed()
    dialogue.port.lost(None)
    dialogue.port.paused()
    dialogue.port.resumed()

    assert ["pause", "resume", None] == dialogue.served.told


async def test_what_comes_behind_our_goodbye_is_dropped(dialogue):
    dialogue.tcp.queued = 1
    dialogue.port.pause_reading()
    dialogue.say(b"before")
    dialogue.port.close()
    dialogue.say(b"behind")
    dialogue.port.write(b"too late")

    assert b"" == dialogue.served.got
    assert None is dialogue.heard()
    dialogue.peer.unwrap()
    dialogue.say()
    assert "close" in dialogue.tcp.calls


async def test_the_goodbye_of_the_peer_is_an_end_and_is_answered(dialogue):
    dialogue.say(b"last")
    dialogue.say_goodbye()

    assert b"last" == dialogue.served.got
    assert ["eof"] == dialogue.served.told
    dialogue.to_peer.write(dialogue.tcp.sent)
    dialogue.peer.unwrap()
    assert "close" in dialogue.tcp.calls


async def test_an_end_of_tcp_is_one_as_well(dialogue):
    dialogue.peer.write(b"last")
    dialogue.say()
    dialogue.port.ended()
    dialogue.port.lost(None)

    assert b"last" == dialogue.served.got
    assert ["eof", None] == dialogue.served.told
    assert dialogue.port.is_closing()


async def test_what_is_forged_breaks_the_connection_and_the_peer_is_told(dialogue):
    dialogue.peer.write(b"honest")
    forged = bytearray(dialogue.from_peer.read())
    forged[-1] ^= 1
    dialogue.port.received(memoryview(forged))
    with pytest.raises(ssl.SSLError, match="ALERT_BAD_RECORD_MAC"):
        dialogue.heard()
    dialogue.port.lost(None)

    assert b"" == dialogue.served.got
    assert "close" in dialogue.tcp.calls
    (why,) = dialogue.served.told
    assert isinstance(why, ssl.SSLError)


async def test_nobody_waits_for_the_goodbye_of_a_connection_that_is_gone(dialogue):
    dialogue.tcp.queued = 1
    dialogue.port.close()
    waiting = dialogue.port._shutdown
    dialogue.port.lost(None)

    assert waiting.cancelled()
    assert [None] == dialogue.served.told


async def test_it_is_broken_off_without_a_goodbye(dialogue):
    dialogue.port.abort()

    assert ["abort"] == [call for call in dialogue.tcp.calls if call in ("abort", "close")]
    assert b"" == dialogue.tcp.sent
    assert dialogue.port.is_closing()


async def test_there_is_no_half(dialogue):
    assert not dialogue.port.can_write_eof()
    with pytest.raises(NotImplementedError):
        dialogue.port.write_eof()


async def test_another_protocol_takes_over(dialogue):
    dialogue.say(b"to the first")
    second = ServedFromBuffer()
    dialogue.port.set_protocol(second)
    dialogue.say(b"to the second")

    assert b"to the first" == dialogue.served.got
    assert b"to the second" == second.got
    assert second is dialogue.port.get_protocol()


async def test_it_tells_what_is_spoken_and_what_tcp_knows(dialogue):
    assert "TLSv1.3" == dialogue.port.get_extra_info("ssl_object").version()
    assert isinstance(dialogue.port.get_extra_info("sslcontext"), ssl.SSLContext)
    assert ("192.0.2.1", 1) == dialogue.port.get_extra_info("peername")
    assert "no such" == dialogue.port.get_extra_info("nothing", "no such")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_versions_are_spoken(authority, version):
    dialogue = Dialogue(authority, Served, version)
    dialogue.say(b"hello")
    dialogue.port.write(b"hello")

    assert (b"hello", b"hello") == (dialogue.served.got, dialogue.heard())
