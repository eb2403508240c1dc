"""New settings for a running process: nothing is lost, nothing half applied, everything said."""

import asyncio
import json
import signal

import pytest

from proxy.settings.source import Source
from tests.house.admin import ask, stories
from tests.house.fault_upstream import FaultUpstream
from tests.house.house import House, settings_of
from tests.house.raw_client import RawClient, eventually, request
from tests.house.test_connection_auth import handshake
from tests.house.test_websocket import ASK as SWITCHES
from tests.house.test_websocket import SWITCH

ASK = ("Content-Type: application/json",)
BROKEN = {"route": {"upstream": "chatt", "timeouts": {"gap": "5"}}}
SECRET = "a-secret-of-many-letters"


@pytest.fixture
def reloadable(house, tmp_path):
    """A house whose settings are in a file."""

    async def start(**unusual) -> House:
        return await house(file=tmp_path / "sidelight.yaml", **unusual)

    return start


RETIRED = b'sidelight_upstream_connections{state="retired",upstream="chat"} 1'


class Held:
    """A stream that sends a word, and the rest once it is let go."""

    def __init__(self, upstream: FaultUpstream, path: str = "/stream") -> None:
        self.go_on = asyncio.Event()
        self.turns = []
        upstream.on(path, self.play)

    async def play(self, turn) -> None:
        self.turns.append(turn)
        await turn.begin_chunked("Content-Type: text/event-stream")
        await turn.chunk("data: first\n\n")
        await self.go_on.wait()
        await turn.chunk("data: last\n\n")
        await turn.end_chunked()


async def begun(house: House, path: str = "/stream") -> RawClient:
    client = await house.client().__aenter__()
    await client.send(request("GET", path))
    await client.until(b"data: first\n\n")
    return client


async def ended(client: RawClient) -> bytes:
    text = await client.until(b"0\r\n\r\n")
    await client.__aexit__(None, None, None)
    return text


async def post_reload(house: House, *headers: str):
    async with RawClient(house.app.admin_port) as client:
        await client.send(request("POST", "/reload", *ASK, *headers, host="localhost"))
        return await client.answer()


async def test_what_runs_ends_under_the_settings_it_began_with(upstream, reloadable):
    house = await reloadable()
    held = Held(upstream)
    client = await begun(house)
    before = house.app.settings.config_hash
    report = await house.reload(route={"name": "next"}, errors={"format": "problem"})
    missed = await house.fetch("/none", "Content-Length: 5", "Transfer-Encoding: chunked")
    held.go_on.set()

    assert b"data: last" in await ended(client)
    assert ("loaded", ("errors.format", "routes.all", "routes.next")) == (
        report.result, report.changed,
    )  # fmt: skip
    assert "application/problem+json" == missed.header("Content-Type")
    event = await house.event(path="/stream")
    assert ("all", before, "completed") == (event["route"], event["config_hash"], event["code"])
    (story,) = await stories(house.app.admin_port, event["request_id"])
    assert (before, report.config_hash) == (story["config_hash"], story["config_replaced_by"])
    after = await house.fetch()
    assert report.config_hash == (await house.event_of(after))["config_hash"]
    (story,) = await stories(house.app.admin_port, after.header("X-Request-ID"))
    assert "config_replaced_by" not in story


async def test_wrong_settings_change_nothing_and_are_said(upstream, reloadable):
    house = await reloadable(alerts={"every": "50ms"})
    in_force = house.app.settings
    report = await house.reload(**BROKEN, admin={"token": SECRET[:12]}, alerts={"every": "50ms"})

    assert ("rejected", 3) == (report.result, len(report.faults))
    assert house.app.settings is in_force
    assert 200 == (await house.fetch()).status
    event = await house.event("config_rejected")
    assert ("ERROR", "test", report.faults) == (event["level"], event["cause"], event["faults"])
    assert SECRET[:12] not in json.dumps(house.events)
    health = (await house.admin("/health")).json()
    assert ("rejected", 3) == (health["reload"]["result"], health["reload"]["faults"])
    assert in_force.config_hash == health["config_hash"]
    metrics = (await house.admin("/metrics")).body
    assert b"sidelight_config_last_reload_successful 0" in metrics
    assert b'sidelight_config_reloads_total{result="rejected"} 1' in metrics
    house.app.diagnostics.tick(1e9, 1e9)
    assert (await house.event("alert_raised"))["rule"] == "config_rejected"
    await house.reload()
    assert 200 == (await house.admin("/health")).status
    assert not house.app.reloader.is_rejected


async def test_a_certificate_file_that_cannot_be_used_is_a_fault(upstream, reloadable):
    house = await reloadable()
    report = await house.reload(
        upstream={"endpoints": ["https://127.0.0.1:1"], "tls": {"ca_file": "/nowhere.pem"}}
    )

    assert ("rejected", True) == (report.result, "No such file" in report.faults[0])
    assert 200 == (await house.fetch()).status


async def test_the_answer_says_what_came_of_it(upstream, reloadable):
    house = await reloadable()
    house.rewrite(breaker={"cool_down": "7s"}, listen={"port": 7})
    loaded = await post_reload(house)
    house.rewrite(**BROKEN)
    rejected = await post_reload(house)
    again = await ask(house.app.admin_port, "/reload")

    assert (200, ["routes.all.breaker.cool_down"]) == (loaded.status, loaded.json()["changed"])
    assert ["routes.all: its circuit, which begins closed"] == loaded.json()["lost"]
    assert ["listen.port"] == loaded.json()["needs_restart"]
    assert (422, 2) == (rejected.status, len(rejected.json()["faults"]))
    assert "config_rejected" == rejected.json()["error"]
    assert ("rejected", ["listen.port"]) == (again.json()["result"], again.json()["needs_restart"])


async def test_without_the_token_nobody_reloads(upstream, reloadable):
    house = await reloadable(admin={"token": SECRET})

    assert 401 == (await post_reload(house)).status
    assert 200 == (await post_reload(house, f"Authorization: Bearer {SECRET}")).status
    await house.reload(admin={"token": SECRET + "2"})
    assert 401 == (await post_reload(house, f"Authorization: Bearer {SECRET}")).status
    assert 200 == (await post_reload(house, f"Authorization: Bearer {SECRET}2")).status


async def test_settings_of_no_file_cannot_be_read_again(upstream, house):
    house = await house()
    refused = await post_reload(house)

    assert (409, "reload_refused") == (refused.status, refused.json()["error"])
    assert "its own code" in refused.json()["reason"]


async def test_while_draining_a_reload_is_refused(upstream, reloadable):
    house = await reloadable()
    held = Held(upstream)
    client = await begun(house)
    house.rewrite(errors={"format": "problem"})
    draining = asyncio.create_task(house.app.drain(delay=0, limit=60, cause="test"))
    await eventually(lambda: house.app.forward.drain.refuses)
    refused = await post_reload(house)
    held.go_on.set()
    await ended(client)
    await draining

    assert (409, "it is draining") == (refused.status, refused.json()["reason"])
    assert "json" == house.app.settings.errors.format
    assert "it is draining" == (await house.event("reload_refused"))["reason"]


async def test_a_drain_that_begins_meanwhile_comes_first(upstream, reloadable):
    house = await reloadable()
    house.rewrite(errors={"format": "problem"})
    reloading = asyncio.create_task(house.app.reloader.reload("test"))
    await asyncio.sleep(0)
    house.app.not_ready_because = "draining"

    assert "refused" == (await reloading).result
    assert "json" == house.app.settings.errors.format


async def test_reloads_wait_for_their_turn(upstream, reloadable):
    house = await reloadable()
    reports = await asyncio.gather(*(house.reload(breaker={"window": f"{n}s"}) for n in (7, 8, 9)))

    assert ["loaded"] * 3 == [report.result for report in reports]
    assert 9.0 == house.app.settings.routes[0].breaker.window
    await eventually(lambda: len(house.all("config_loaded")) == 4)


async def test_many_signals_are_answered_by_two_reloads(upstream, reloadable):
    """The one that runs, and one for whatever has changed since it began to read."""
    house = await reloadable()
    for _ in range(20):
        house.app.reloader.ask("SIGHUP")
    await eventually(lambda: len(house.all("config_loaded", cause="SIGHUP")) == 2)
    await house.reload()

    await eventually(lambda: house.all("config_loaded", cause="test"))
    assert 2 == len(house.all("config_loaded", cause="SIGHUP"))


async def test_a_fault_of_ours_is_said_and_changes_nothing(upstream, reloadable):
    house = await reloadable()
    in_force = house.app.settings

    def broken(_settings):
        raise LookupError("a fault of ours")

    house.app._builder.build = broken
    house.app.reloader.ask("SIGHUP")
    refused = await house.event("reload_refused")

    assert ("fault", True) == (refused["cause"], "LookupError" in refused["reason"])
    assert house.app.settings is in_force
    assert 200 == (await house.fetch()).status


async def test_an_open_circuit_stays_open_where_nothing_touched_it(upstream, reloadable):
    house = await reloadable(breaker={"consecutive": 1}, retry={"attempts": 1})
    await upstream.refuse()
    assert 502 == (await house.fetch()).status
    await house.reload(breaker={"consecutive": 1}, retry={"attempts": 2}, log={"level": "debug"})

    assert "open" == await house.breaker()
    await house.reload(breaker={"consecutive": 2})
    assert "closed" == await house.breaker()


async def test_buckets_and_their_counts_go_on(upstream, reloadable):
    route = {"rate_limit": [{"rate": "1/1h", "burst": 3}]}
    house = await reloadable(route=route)
    first = [(await house.fetch()).status for _ in range(3)]
    await house.reload(route=route | {"max_body": "1MiB"})

    assert [200] * 3 == first
    assert 429 == (await house.fetch()).status
    line = b'sidelight_rate_limit_decisions_total{decision="allowed",policy="all"} 3'
    assert line in (await house.admin("/metrics")).body


async def test_a_replaced_upstream_closes_what_is_idle_and_then_the_rest(upstream, reloadable):
    house = await reloadable(upstream={"pool": {"keep_alive": "60s"}})
    held = Held(upstream)
    client = await begun(house)
    await house.fetch()
    async with FaultUpstream() as other:
        await house.reload(upstream={"endpoints": [other.url]})
        await eventually(upstream.connections[1].gone.is_set)
        assert not upstream.connections[0].gone.is_set()
        assert RETIRED in (await house.admin("/metrics")).body
        await house.fetch("/new")
        held.go_on.set()
        assert b"data: last" in await ended(client)
        await eventually(upstream.connections[0].gone.is_set)

        assert RETIRED not in (await house.admin("/metrics")).body
        assert ["/new"] == [seen.path for seen in other.seen]


async def test_a_tunnel_outlives_its_route_and_its_upstream(upstream, reloadable):
    house = await reloadable(route={"websocket": True})

    async def echo(turn):
        await turn.send(SWITCH)
        while True:
            await turn.send(await turn.connection.some(100))

    upstream.on("/talk", echo)
    async with house.client() as client, FaultUpstream() as other:
        await client.send(request("GET", "/talk", *SWITCHES))
        await client.until(b"\r\n\r\n")
        await house.reload(route={"name": "next"}, upstream={"endpoints": [other.url]})
        await client.send(b"still there")

        assert b"still there" == await client.until(b"there")
    event = await house.event(path="/talk")
    assert ("all", 101) == (event["route"], event["status"])


async def test_an_unchanged_upstream_keeps_its_connections(upstream, reloadable):
    keep = {"upstream": {"pool": {"keep_alive": "60s"}}}
    house = await reloadable(**keep)
    await house.fetch()
    await house.reload(**keep, breaker={"window": "7s"})
    await house.fetch()

    assert [0, 0] == [seen.connection for seen in upstream.seen]


async def test_an_exchange_goes_on_trying_the_upstream_it_began_with(upstream, reloadable):
    """Also between two attempts, when it has no connection there."""
    house = await reloadable(retry={"first_pause": "1s", "max_pause": "1s", "jitter": 0})

    async def busy(turn):
        await turn.answer(503)

    async def good(turn):
        await turn.answer(200)

    upstream.on("/", busy, good)
    asking = asyncio.create_task(house.fetch())
    await eventually(lambda: upstream.seen)
    async with FaultUpstream() as other:
        await house.reload(upstream={"endpoints": [other.url]})
        assert 200 == (await asking).status

        assert [] == other.seen
    await eventually(lambda: all(one.gone.is_set() for one in upstream.connections))


async def test_a_connection_that_is_a_clients_own_is_not_taken_for_another_upstream(
    upstream, reloadable
):
    house = await reloadable()
    upstream.on("/", handshake)
    async with FaultUpstream() as other, house.client() as client:
        other.on("/", handshake)
        await client.get("/", "Authorization: NTLM one")
        await house.reload(upstream={"endpoints": [other.url]})
        answer = await client.get()

        assert b"stranger" == answer.body
        assert 1 == len(other.seen)


async def test_trust_is_that_of_the_settings_in_force_on_open_connections_too(upstream, reloadable):
    house = await reloadable(trusted_proxies=["127.0.0.1"])
    told = "X-Forwarded-For: 192.0.2.7"
    async with house.client() as client:
        await client.get("/", told)
        await house.reload()
        await client.get("/", told)

    await eventually(lambda: len(house.all()) == 2)
    assert ["192.0.2.7", "127.0.0.1"] == [event["client_ip"] for event in house.all()]


async def test_new_limits_of_the_port_hold_for_new_connections(upstream, reloadable):
    house = await reloadable()
    await house.reload(listen={"uri_bytes": "256B"})

    assert 414 == (await house.fetch("/" + "x" * 300)).status


async def test_labels_are_those_of_the_routes_there_are(upstream, reloadable):
    house = await reloadable()
    await house.fetch()
    for n in range(5):
        await house.reload(route={"name": f"r{n}"})
        await house.fetch()
    metrics = (await house.admin("/metrics")).body

    assert b'sidelight_requests_total{method="GET",route="r4",status="200"} 1' in metrics
    assert b'route="r3"' not in metrics
    assert b'route="all"' not in metrics
    assert b'route="other"' not in metrics


async def test_a_route_that_is_gone_is_counted_to_its_end(upstream, reloadable):
    house = await reloadable()
    held = Held(upstream)
    client = await begun(house)
    await house.reload(route={"name": "next"})
    held.go_on.set()
    await ended(client)

    counted = b'sidelight_streams_total{code="completed",route="all"} 1'
    await eventually(lambda: house.all(path="/stream"))
    assert counted in (await house.admin("/metrics")).body


async def test_the_log_takes_its_level_at_once(upstream, reloadable):
    house = await reloadable()
    await house.reload(log={"level": "error"})
    await house.fetch()
    await house.reload(log={"level": "info"})
    await house.fetch()

    await house.event()
    assert 1 == len(house.all())


async def test_a_watched_file_is_read_when_it_changes(upstream, reloadable):
    watch = {"reload": {"watch": "100ms"}}
    house = await reloadable(**watch)
    house.rewrite(**watch, errors={"format": "problem"})
    await house.event("config_loaded", cause="watch")
    house.rewrite(**watch, **BROKEN)
    await house.event("config_rejected", cause="watch")
    house.rewrite(**watch)
    await eventually(lambda: len(house.all("config_loaded", cause="watch")) == 2)

    assert "json" == house.app.settings.errors.format
    await house.reload(errors={"format": "problem"})
    assert 1 == len(house.all("config_rejected"))
    house.rewrite(**watch)
    await asyncio.sleep(0.5)
    assert "problem" == house.app.settings.errors.format  # it is not watched any more


async def test_half_a_file_is_not_read(upstream, reloadable, monkeypatch):
    """A writer that takes its time: no two looks in a row see the same until it is done."""
    watch = {"reload": {"watch": "100ms"}}
    house = await reloadable(**watch)
    whole = json.dumps(settings_of(upstream.url, **watch, errors={"format": "problem"}))
    looks, look = iter(range(40, len(whole), 40)), Source.sign

    def write_on(source):
        size = next(looks, len(whole))
        house.file.write_text(whole[:size])
        return look(source)

    monkeypatch.setattr(Source, "sign", write_on)
    await house.event("config_loaded", cause="watch")

    assert [] == house.all("config_rejected")
    assert "problem" == house.app.settings.errors.format


async def test_the_swap_of_a_config_map_is_seen(upstream, house, tmp_path):
    watch = {"reload": {"watch": "100ms"}}
    for name, more in (("one", {}), ("two", {"errors": {"format": "problem"}})):
        (tmp_path / name).mkdir()
        plain = settings_of(upstream.url, **watch, **more)
        (tmp_path / name / "sidelight.yaml").write_text(json.dumps(plain))
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "sidelight.yaml").symlink_to("..data/sidelight.yaml")
    house = await house(file=tmp_path / "sidelight.yaml", **watch)
    (tmp_path / "new").symlink_to("two")
    (tmp_path / "new").rename(tmp_path / "..data")
    await house.event("config_loaded", cause="watch")

    assert "problem" == house.app.settings.errors.format


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_a_signal_has_the_file_of_a_process_read(upstream, process, loop):
    process = await process(event_loop=loop)
    file = process.log.with_suffix(".yaml")
    held = Held(upstream)
    async with RawClient(process.port) as client:
        await client.send(request("GET", "/stream"))
        await client.until(b"data: first\n\n")
        plain = json.loads(file.read_text())
        file.write_text(json.dumps(plain | {"errors": {"format": "problem"}}))
        process.tell(signal.SIGHUP)
        await eventually(lambda: process.events("config_loaded")[1:])
        file.write_text("nothing: good\n")
        process.tell(signal.SIGHUP)
        await eventually(lambda: process.events("config_rejected"))
        held.go_on.set()

        assert (await client.until(b"0\r\n\r\n")).endswith(b"data: last\n\n\r\n0\r\n\r\n")
    (start, loaded) = process.events("config_loaded")
    assert ("SIGHUP", ["errors.format"]) == (loaded["cause"], loaded["changed"])
    process.tell(signal.SIGTERM)
    assert 0 == await process.ended()
    assert [start["config_hash"]] == [event["config_hash"] for event in process.events()]


async def test_another_value_of_a_header_is_loaded(reloadable):
    """Such values hang by names of their own; they are told of as one, and hidden."""
    token = "first-secret-of-sixteen"
    rule = {"headers": {"request": {"set": {"Authorization": f"Bearer {token}"}}}}
    house = await reloadable(route=rule)
    rule["headers"]["request"]["set"]["Authorization"] = "Bearer other-secret-of-sixteen"
    report = await house.reload(route=rule)
    await house.fetch("/")

    assert ("loaded", ("routes.all.headers.request.set",)) == (report.result, report.changed)
    assert b"Bearer other-secret" in house.upstream.seen[0].head
