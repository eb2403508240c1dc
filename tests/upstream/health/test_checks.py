"""The checks of an upstream: at intervals, of those endpoints that there are."""

import asyncio

import pytest

from proxy.clock import now
from proxy.upstream.endpoint import Endpoint
from proxy.upstream.health.checks import HealthChecks
from proxy.upstream.health.rules import HealthRule
from proxy.upstream.health.tally import CheckResult

OFTEN = HealthRule.model_construct(path="/", interval=0.001, timeout=1.0, up_after=2, down_after=3)
SELDOM = HealthRule(path="/", interval=3600.0)


class Fleet:
    """Endpoints that say what a test wants, and who asked them."""

    def __init__(self, *names: str) -> None:
        self.all = [Endpoint(f"http://{name}") for name in names]
        self.asked: list[str] = []
        self.down: set[str] = set()
        self.changes: list[tuple[str, bool | None]] = []
        self.news = asyncio.Event()

    async def check(self, endpoint: Endpoint) -> CheckResult:
        self.asked.append(endpoint.host)
        self.news.set()
        return CheckResult(endpoint.host not in self.down, "as told")

    def checks(self, rule: HealthRule, rng=lambda: 0.5) -> HealthChecks:
        def note(endpoint, tally):
            self.changes.append((endpoint.host, tally.healthy))
            self.news.set()

        return HealthChecks(rule, lambda: self.all, self.check, note, rng)

    async def until(self, condition) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()


async def test_each_endpoint_is_checked_at_once_and_again_and_again() -> None:
    fleet = Fleet("a", "b")
    checks = fleet.checks(OFTEN)
    checks.sync()
    await fleet.until(lambda: fleet.asked.count("a") > 5 and fleet.asked.count("b") > 5)
    await checks.stop()

    assert ["a", "b"] == fleet.asked[:2]
    assert [("a", True), ("b", True)] == fleet.changes[:2]


async def test_one_endpoint_has_one_check_at_a_time() -> None:
    fleet = Fleet("a", "b")
    slow = asyncio.Event()

    async def check(endpoint: Endpoint) -> CheckResult:
        result = await fleet.check(endpoint)
        if endpoint.host == "a":
            await slow.wait()
        return result

    checks = HealthChecks(OFTEN, lambda: fleet.all, check, lambda *_: None)
    checks.sync()
    await fleet.until(lambda: fleet.asked.count("b") > 10)
    await checks.stop()

    assert 1 == fleet.asked.count("a")


async def test_a_change_is_told_once() -> None:
    fleet = Fleet("a")
    checks = fleet.checks(OFTEN)
    checks.sync()
    await fleet.until(lambda: fleet.changes)
    fleet.down = {"a"}
    await fleet.until(lambda: len(fleet.changes) == 2)
    n = len(fleet.asked)
    await fleet.until(lambda: len(fleet.asked) > n + 5)
    fleet.down = set()
    await fleet.until(lambda: len(fleet.changes) == 3)
    await checks.stop()

    assert [("a", True), ("a", False), ("a", True)] == fleet.changes


async def test_who_is_new_is_checked_and_who_is_gone_is_not() -> None:
    fleet = Fleet("a", "b")
    checks = fleet.checks(OFTEN)
    checks.sync()
    await fleet.until(lambda: len(fleet.asked) >= 2)
    gone, fleet.all = fleet.all[0], [*fleet.all[1:], Endpoint("http://c")]
    await fleet.until(lambda: fleet.asked.count("c") > 2)
    before = fleet.asked.count("a")
    await fleet.until(lambda: fleet.asked.count("c") > 5)
    after = fleet.asked.count("a")
    known = checks.tally(gone)
    await checks.stop()

    assert before == after
    assert known is None


async def test_where_all_are_replaced_the_new_ones_are_found() -> None:
    """A name may lead to other addresses from one answer of the DNS to the next."""
    fleet = Fleet("a")
    checks = fleet.checks(OFTEN)
    checks.sync()
    await fleet.until(lambda: fleet.asked)
    fleet.all = [Endpoint("http://b")]
    await fleet.until(lambda: "b" in fleet.asked)
    await checks.stop()


async def test_the_next_check_is_known() -> None:
    fleet = Fleet("a")
    checks = fleet.checks(SELDOM)
    before = checks.next_in(0.0)
    checks.sync()
    await fleet.until(lambda: fleet.changes)
    await asyncio.sleep(0)
    at = now()
    left, due = checks.next_in(at), checks.due(fleet.all[0])
    late = checks.next_in(at + 7200)
    await checks.stop()

    assert before is None
    assert left is not None
    assert 3000 < left <= 3601
    assert 0.0 == late
    assert due == pytest.approx(at + left)


async def test_an_interval_is_a_tenth_longer_or_shorter_by_chance() -> None:
    found = []
    for chance in (0.0, 1.0):
        fleet = Fleet("a")
        checks = fleet.checks(SELDOM, lambda chance=chance: chance)
        checks.sync()
        await fleet.until(lambda fleet=fleet: fleet.changes)
        found.append(checks.next_in(now()))
        await checks.stop()

    assert [3240, 3960] == [round(each, -1) for each in found if each is not None]


async def test_nothing_is_checked_after_the_end() -> None:
    fleet = Fleet("a")
    checks = fleet.checks(SELDOM)
    checks.sync()
    await fleet.until(lambda: fleet.asked)
    await checks.stop()
    checks.sync()
    await asyncio.sleep(0)

    assert ["a"] == fleet.asked
    assert checks.next_in(0.0) is None


async def test_a_fault_of_ours_is_said_and_does_not_end_the_checks_of_others() -> None:
    said: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: said.append(str(context["message"])))
    fleet = Fleet("a", "b")

    async def broken(endpoint: Endpoint) -> CheckResult:
        if endpoint.host == "a" and fleet.asked.count("a") == 1:
            fleet.asked.append("a")
            raise ZeroDivisionError
        return await fleet.check(endpoint)

    checks = HealthChecks(OFTEN, lambda: fleet.all, broken, lambda *_: None)
    checks.sync()
    await fleet.until(lambda: fleet.asked.count("b") > 3 and fleet.asked.count("a") > 3)
    await checks.stop()
    loop.set_exception_handler(None)

    assert ["a health check broke"] == said


async def test_after_a_fault_of_ours_the_next_check_waits_its_interval() -> None:
    """One that came at once every time would take all of the loop, and fill the log."""
    asked: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    fleet = Fleet("a")

    async def broken(endpoint: Endpoint) -> CheckResult:
        asked.append(endpoint.host)
        raise ZeroDivisionError

    checks = HealthChecks(SELDOM, lambda: fleet.all, broken, lambda *_: None)
    checks.sync()
    for _ in range(20):
        await asyncio.sleep(0)
    await checks.stop()
    loop.set_exception_handler(None)

    assert ["a"] == asked
