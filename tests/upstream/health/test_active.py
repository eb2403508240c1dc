"""What the checks of an endpoint mean for its use."""

import pytest

from proxy.clock import now
from proxy.upstream.dialer import Dialer
from proxy.upstream.endpoint_change import EndpointChange
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.health.active import ActiveChecks
from proxy.upstream.health.tally import CheckResult, Tally
from proxy.upstream.passive_health import PassiveHealth
from proxy.upstream.rules import EjectionRule, UpstreamRule

GOOD = CheckResult(True, "status 200")
BAD = CheckResult(False, "status 500")
URLS = ("http://127.0.0.1:1", "http://127.0.0.1:2")


class Scene:
    """Two endpoints, whose checks are told by hand."""

    def __init__(self, **knobs: object) -> None:
        checked = {"endpoints": URLS, "health": {"path": "/", "up_after": 1, "down_after": 1}}
        rule = UpstreamRule.model_validate(checked | knobs)
        self.told: list[tuple[str, str, str]] = []
        self.endpoints = Endpoints(rule, self._note)
        self.closed: list[str] = []
        self.endpoints.dismiss = lambda endpoint: self.closed.append(endpoint.url)
        self.checks = ActiveChecks(rule, self.endpoints, Dialer(rule, None))
        self.first, self.second = self.endpoints.all[0], self.endpoints.all[-1]
        self._tally = Tally(1, 1)

    def _note(self, change: EndpointChange) -> None:
        self.told.append((change.endpoint[-1], change.kind, change.reason))

    def show(self, *results: CheckResult) -> None:
        """Of the first endpoint."""
        for result in results:
            if self._tally.add(result):
                self.checks._changed(self.first, self._tally)

    def statuses(self) -> list[str]:
        return [view.status for view in self.checks.views(now())]


def test_the_first_good_check_changes_nothing_that_anybody_would_want_to_know() -> None:
    scene = Scene()
    scene.show(GOOD)

    assert [] == scene.told
    assert ["up", "unknown"] == scene.statuses()
    assert [scene.first, scene.second] == scene.endpoints.usable


def test_an_endpoint_that_is_down_is_not_used_and_its_connections_are_closed() -> None:
    scene = Scene()
    scene.show(GOOD, BAD)

    assert [("1", "down", "1 check in a row: status 500")] == scene.told
    assert [scene.second] == scene.endpoints.usable
    assert [URLS[0]] == scene.closed
    assert "down" == scene.statuses()[0]


def test_one_that_is_up_again_is_used_again() -> None:
    scene = Scene()
    scene.show(BAD, GOOD)

    assert ["down", "up"] == [kind for _, kind, _ in scene.told]
    assert scene.first.heat(now(), slow_start=3600.0) < 1.0
    assert [scene.first, scene.second] == scene.endpoints.usable


def test_what_its_traffic_showed_while_it_was_down_is_over_when_it_is_up_again() -> None:
    scene = Scene()
    scene.show(BAD)
    scene.first.ejection.eject(60.0, "5 failures", now())
    scene.show(GOOD)

    assert ["down", "up", "returned"] == [kind for _, kind, _ in scene.told]
    assert not scene.first.ejection.is_out


def test_one_that_its_checks_never_called_down_stays_ejected() -> None:
    scene = Scene()
    scene.show(GOOD)
    scene.first.ejection.eject(60.0, "5 failures", now())
    scene.show(GOOD, GOOD)

    assert "ejected" == scene.statuses()[0]


def test_what_its_traffic_has_said_is_not_said_again() -> None:
    scene = Scene()
    scene.first.is_up = False
    scene.show(BAD, GOOD)

    assert ["up"] == [kind for _, kind, _ in scene.told]
    assert scene.first.is_up


def test_where_all_are_down_none_is_used() -> None:
    scene = Scene()
    scene.second.health.healthy = False
    scene.show(BAD)

    assert [] == scene.endpoints.usable


@pytest.mark.parametrize(
    ("panic", "usable"),
    [pytest.param(0.6, 2, id="fewer than that"), pytest.param(0.5, 1, id="as many as that")],
)
def test_in_a_panic_all_are_used(panic: float, usable: int) -> None:
    scene = Scene(panic=panic)
    scene.show(BAD)

    assert usable == len(scene.endpoints.usable)
    assert (usable == 2) is scene.endpoints.is_panicking


def test_one_endpoint_alone_is_used_in_a_panic_as_well_and_the_record_says_so() -> None:
    scene = Scene(endpoints=URLS[:1], panic=0.1)
    scene.show(BAD)

    assert [scene.first] == scene.endpoints.usable
    assert scene.endpoints.sole is None


def test_an_upstream_that_is_not_checked_has_endpoints_that_may_be_used() -> None:
    scene = Scene(health={})
    scene.first.ejection.rest(5.0, "refused", now())
    scene.checks.start()

    assert ["resting", "usable"] == scene.statuses()
    assert scene.checks.next_in(now()) is None


def test_of_one_that_its_checks_call_down_its_traffic_says_nothing_more() -> None:
    """In a panic it may be asked all the same."""
    scene = Scene()
    passive = PassiveHealth(scene.endpoints, EjectionRule())
    scene.show(BAD)
    passive.unreachable(scene.first, "refused", now())
    passive.connected(scene.first, now())

    assert ["down"] == [kind for _, kind, _ in scene.told]
