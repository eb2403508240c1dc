"""What attempts teach about their endpoints."""

import pytest

from proxy.upstream.choice import Choice
from proxy.upstream.chooser import Chooser
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.passive_health import DOWN_FOR, PassiveHealth
from proxy.upstream.rules import UpstreamRule

NOW = 1000.0


class Scene:
    """Endpoints, and what was told of them."""

    def __init__(self, count=2, **knobs):
        urls = [f"http://10.0.0.{n}" for n in range(count)]
        rule = UpstreamRule(endpoints=urls, balance="round_robin", **knobs)
        self.told, self.dismissed = [], []
        self.endpoints = Endpoints(rule, self.told.append)
        self.endpoints.dismiss = self.dismissed.append
        self.passive = PassiveHealth(self.endpoints, rule.ejection)
        self.chooser = Chooser(self.endpoints, rule.balance)

    def attempt(self, number, signal="failure", code="upstream_reset", at=NOW, had_answer=False):
        choice = Choice()
        choice.endpoint = self.endpoints.all[number]
        self.passive.settled(choice, signal, code, at, had_answer=had_answer)
        return choice

    def fail(self, number, times, **options):
        for _ in range(times):
            self.attempt(number, **options)

    def answer(self, number, at=NOW):
        choice = Choice()
        choice.endpoint = self.endpoints.all[number]
        self.passive.answered(choice, at)

    def probe(self, at):
        choice = Choice()
        self.chooser.choose(choice, at)
        assert choice.is_probe
        return choice

    @property
    def out(self):
        return [n for n, each in enumerate(self.endpoints.all) if each.ejection.is_out]

    @property
    def kinds(self):
        return [(each.kind, each.endpoint[-1]) for each in self.told]


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize("signal", ["failure", "ratio"])
def test_five_failures_in_a_row_eject(scene, signal):
    scene.fail(0, 4, signal=signal)
    assert [] == scene.out
    scene.fail(0, 1, signal=signal)

    assert [0] == scene.out
    assert [("ejected", "0")] == scene.kinds
    assert ("5 failures in a row, the last one upstream_reset", 30) == (
        scene.told[0].reason,
        scene.told[0].seconds,
    )
    assert [scene.endpoints.all[0]] == scene.dismissed, "its idle connections are closed"
    assert [scene.endpoints.all[1]] == scene.endpoints.usable


def test_one_that_hangs_is_out_after_its_third_failure(scene):
    scene.fail(0, 2, code="head_timeout")
    assert [] == scene.out
    scene.fail(0, 1, code="head_timeout")

    assert [0] == scene.out


def test_what_clients_do_teaches_nothing(scene):
    scene.fail(0, 4)
    scene.fail(0, 50, signal="neutral", code="client_closed_request")
    assert [] == scene.out
    scene.fail(0, 1)

    assert [0] == scene.out


def test_an_answer_between_them_ends_the_row(scene):
    scene.fail(0, 4)
    scene.answer(0)
    scene.fail(0, 4)

    assert [] == scene.out


def test_the_last_one_is_never_ejected(scene):
    scene.fail(0, 5)
    scene.fail(1, 50)

    assert [0] == scene.out


def test_one_is_not_ejected_where_checks_have_the_others_down(scene):
    scene.endpoints.all[1].health.healthy = False
    scene.fail(0, 50)

    assert [] == scene.out


def test_only_a_share_is_ejected():
    scene = Scene(4, ejection={"at_most": 0.5})
    for number in range(4):
        scene.fail(number, 5)

    assert [0, 1] == scene.out


def test_nobody_is_ejected_where_none_may_be():
    scene = Scene(4, ejection={"at_most": 0})
    scene.fail(0, 50)

    assert [] == scene.out


def test_it_comes_back_when_its_probe_is_answered(scene):
    scene.fail(0, 5)
    choice = scene.probe(NOW + 30)
    scene.passive.answered(choice, NOW + 31)

    assert [] == scene.out
    assert [("ejected", "0"), ("returned", "0")] == scene.kinds


def test_one_that_comes_back_starts_slowly():
    scene = Scene(2, slow_start="10s")
    scene.fail(0, 5)
    scene.passive.answered(scene.probe(NOW + 30), NOW + 31)

    assert [0.1, 1.0] == scene.endpoints.weights


def test_a_probe_whose_answer_is_only_seen_at_its_end_brings_it_back_too(scene):
    scene.fail(0, 5)
    choice = scene.probe(NOW + 30)
    scene.passive.settled(choice, "success", "completed", NOW + 31, had_answer=True)

    assert [] == scene.out


def test_a_probe_that_fails_keeps_it_out_for_longer(scene):
    scene.fail(0, 5)
    choice = scene.probe(NOW + 30)
    scene.passive.settled(choice, "failure", "head_timeout", NOW + 40, had_answer=False)

    assert [0] == scene.out
    assert [30, 60] == [each.seconds for each in scene.told]
    assert "the probe failed: head_timeout" == scene.told[1].reason
    assert scene.endpoints.probe_due == NOW + 100


def test_a_probe_whose_client_left_is_followed_by_another(scene):
    scene.fail(0, 5)
    choice = scene.probe(NOW + 30)
    scene.passive.settled(choice, "neutral", "client_closed_request", NOW + 31, had_answer=False)

    assert [0] == scene.out
    assert scene.probe(NOW + 31).endpoint is scene.endpoints.all[0]


def test_a_probe_that_got_no_connection_is_followed_by_another(scene):
    scene.fail(0, 5)
    choice = scene.probe(NOW + 30)
    scene.passive.untried(choice, NOW + 31)

    assert choice.endpoint is None
    assert scene.probe(NOW + 31).endpoint is scene.endpoints.all[0]


def test_what_was_begun_before_it_was_ejected_says_nothing():
    scene = Scene(4, ejection={"at_most": 1.0})
    scene.fail(0, 20)
    scene.attempt(0, signal="success", code="completed")

    assert [0] == scene.out
    assert 1 == len(scene.told)


def test_a_choice_is_settled_once(scene):
    choice = scene.attempt(0)
    for _ in range(9):
        scene.passive.settled(choice, "failure", "upstream_reset", NOW, had_answer=False)

    assert [] == scene.out


def test_one_that_cannot_be_reached_is_down_until_it_is(scene):
    endpoint = scene.endpoints.all[0]
    scene.passive.unreachable(endpoint, "refused", NOW)
    scene.passive.unreachable(endpoint, "refused", NOW + 1)
    assert [scene.endpoints.all[1]] == scene.endpoints.usable
    scene.passive.connected(endpoint, NOW + 2)
    scene.passive.connected(endpoint, NOW + 3)

    assert [("down", "0"), ("up", "0")] == scene.kinds
    assert ("refused", DOWN_FOR) == (scene.told[0].reason, scene.told[0].seconds)
    assert scene.endpoints.all == scene.endpoints.usable


def test_a_rest_that_it_asked_for_is_granted(scene):
    choice = Choice()
    choice.endpoint = scene.endpoints.all[0]
    scene.passive.rest(choice, 429, 20, NOW)
    scene.passive.rest(choice, 503, None, NOW)
    assert scene.endpoints.all == scene.endpoints.usable
    scene.passive.rest(choice, 503, 20, NOW)

    assert [scene.endpoints.all[1]] == scene.endpoints.usable
    assert "it asked for 20 s of rest" == scene.endpoints.known[0].reason


def settle(scene, number, signal="failure"):
    choice = Choice()
    choice.endpoint = scene.endpoints.all[number]
    return scene.passive.settled(choice, signal, "upstream_reset", NOW, had_answer=False)


def test_a_failure_at_one_while_another_works_says_nothing_of_the_upstream(scene):
    scene.answer(1)

    assert "neutral" == settle(scene, 0)
    assert "success" == settle(scene, 0, "success")


def test_where_no_other_is_known_to_work_it_says_that_the_upstream_fails(scene):
    assert "failure" == settle(scene, 0)
    scene.answer(1)
    settle(scene, 1)
    assert "ratio" == settle(scene, 0, "ratio")


def test_what_had_no_choice_counts_as_it_is(scene):
    assert "failure" == scene.passive.settled(Choice(), "failure", "x", NOW, had_answer=False)
