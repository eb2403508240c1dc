"""Ends of connections by TLS: drains, renewed certificates under load, goodbyes."""

import asyncio
import signal
import socket
import ssl
from contextlib import suppress
from functools import partial

import pytest

from tests.house.raw_client import RawClient, eventually, request
from tests.house.streams import stream
from tests.house.test_reload import Held
from tests.house.test_tls import speaking, trusting

BOTH = pytest.mark.parametrize("event_loop", ["asyncio", "uvloop"])
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01"
SWAPS = 6


def heard(port: int, authority, path: str = "/stream", pair=None) -> tuple[bytes, str]:
    """All that comes, and whether TLS said goodbye (close_notify) or the connection was cut.

    Blocks: event loops do not tell one from the other.
    """
    got = bytearray()
    sock = socket.create_connection(("127.0.0.1", port), 60)
    with trusting(authority, pair).wrap_socket(
        sock, server_hostname="localhost", suppress_ragged_eofs=False
    ) as spoken:
        spoken.sendall(request("GET", path))
        try:
            while data := spoken.recv(65536):
                got += data
        except (ssl.SSLEOFError, ConnectionError):
            return bytes(got), "cut"
    return bytes(got), "goodbye"


@BOTH
async def test_a_drain_ends_handshakes_and_lets_streams_finish(
    authority, process, upstream, event_loop
):
    held = Held(upstream)
    process = await process(
        event_loop=event_loop,
        listen=speaking(authority.server()),
        drain={"readiness_delay": "0s", "limit": "60s"},
    )
    reading = asyncio.create_task(asyncio.to_thread(heard, process.port, authority))
    await eventually(lambda: held.turns)
    shaking = await asyncio.open_connection("127.0.0.1", process.port)
    shaking[1].write(HALF_A_HELLO)
    async with RawClient(process.port, tls=trusting(authority)) as later:  # accepted behind it
        assert 200 == (await later.get()).status
    process.tell(signal.SIGTERM)

    with suppress(ConnectionResetError):
        assert b"" == await shaking[0].read()
    with pytest.raises(ConnectionRefusedError):
        await RawClient(process.port, tls=trusting(authority)).__aenter__()
    held.go_on.set()
    body, end = await reading
    assert b"data: last\n\n" in body
    assert "goodbye" == end
    assert 0 == await process.ended()
    assert ["shed"] == [one["cause"] for one in process.events("tls_handshake_failed")]
    shaking[1].close()


@BOTH
async def test_what_outlasts_the_limit_is_told_so_and_gets_a_goodbye(
    authority, process, upstream, event_loop
):
    upstream.on("/stream", stream("data: one\n\n", then="silent"))
    process = await process(
        event_loop=event_loop,
        listen=speaking(authority.server()),
        drain={"readiness_delay": "0s", "limit": "200ms"},
    )
    reading = asyncio.create_task(asyncio.to_thread(heard, process.port, authority))
    await eventually(lambda: upstream.seen)
    process.tell(signal.SIGTERM)
    body, end = await reading

    assert b"data: one\n\n" in body
    assert b"event: error" in body
    assert "goodbye" == end
    assert 0 == await process.ended()


async def test_a_client_with_a_wrong_name_gets_a_goodbye(authority, house):
    """The ssl module can send no alert of ours."""
    rule = {"client_ca": str(authority.certificate), "client_names": ["bob.example"]}
    house = await house(listen=speaking(authority.server(), **rule))
    pair = await asyncio.to_thread(authority.issue, "DNS:ann.example")
    got = await asyncio.to_thread(heard, house.port, authority, pair=pair)

    assert (b"", "goodbye") == got
    assert "client_name" == (await house.event("tls_handshake_failed"))["cause"]


async def test_renegotiation_is_refused_in_words_of_tls(authority, house):
    """Who asks for it waits for an answer, with nothing else under way."""
    house = await house(listen=speaking(authority.server()))
    asking = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{house.port}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        asking.stdin.write(b"R\n")
        async with asyncio.timeout(30):
            said = await asking.stderr.read()
    finally:
        if asking.returncode is None:
            asking.kill()
        await asking.wait()

    assert b"no renegotiation" in said


class Renamed:
    """Each file is renamed into its place."""

    def __init__(self, _home, pair) -> None:
        self.pair = pair

    def put(self, pair) -> None:
        self.pair.replace_by(pair)


class Linked:
    """As Kubernetes mounts a secret: files are links through one link to a directory."""

    def __init__(self, home, pair) -> None:
        self._home, self._number = home, 0
        self.put(pair)
        self.pair = type(pair)(home / "tls.crt", home / "tls.key")
        self.pair.certificate.symlink_to("..data/tls.crt")
        self.pair.key.symlink_to("..data/tls.key")

    def put(self, pair) -> None:
        self._number += 1
        made = self._home / f"..{self._number}"
        made.mkdir()
        (made / "tls.crt").write_bytes(pair.certificate.read_bytes())
        (made / "tls.key").write_bytes(pair.key.read_bytes())
        link = self._home / "..data_tmp"
        link.symlink_to(made.name)
        link.rename(self._home / "..data")


class Load:
    """Clients that connect anew for each request, and one that never does."""

    def __init__(self, house, authority) -> None:
        self._house, self._authority = house, authority
        self.serials: set[str] = set()
        """Of the certificates that were shown."""
        self.answered, self.lost = 0, list[str]()
        self.kept = 0
        self.is_over = False

    def has_seen(self, number: int) -> bool:
        """So many certificates; or it need not be waited for."""
        return len(self.serials) == number or bool(self.lost)

    async def connect_and_ask(self) -> None:
        while not self.is_over:
            try:
                async with RawClient(self._house.port, tls=trusting(self._authority)) as client:
                    shown = client._writer.get_extra_info("ssl_object").getpeercert()
                    answer = await client.get()
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is lost
                self.lost.append(repr(fault))
            else:
                self.serials.add(shown["serialNumber"])
                self.answered += answer.status == 200

    async def ask(self) -> None:
        async with RawClient(self._house.port, tls=trusting(self._authority)) as client:
            while not self.is_over:
                self.kept += (await client.get()).status == 200


@pytest.mark.parametrize("kind", [Renamed, Linked])
async def test_certificates_are_swapped_under_load(authority, house, tmp_path, kind):
    """No connection is lost, and each new certificate is shown to those who come then."""
    others = [await asyncio.to_thread(authority.server) for _ in range(SWAPS)]
    home = tmp_path / "mounted"
    home.mkdir()
    files = kind(home, authority.server())
    house = await house(listen=speaking(files.pair))
    load = Load(house, authority)
    clients = [asyncio.create_task(load.connect_and_ask()) for _ in range(4)]
    clients.append(asyncio.create_task(load.ask()))
    await eventually(lambda: load.serials and load.kept)
    for number, other in enumerate(others, start=2):
        files.put(other)
        await house.app.tls.watch.look()
        await eventually(partial(load.has_seen, number))
    load.is_over = True
    await asyncio.gather(*clients)

    assert [] == load.lost
    assert SWAPS + 1 == len(load.serials)
    assert load.answered >= SWAPS + 1
