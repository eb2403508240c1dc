"""Which endpoint an attempt goes to, and why."""

from collections import Counter
from itertools import cycle

import pytest

from proxy.upstream.choice import Choice
from proxy.upstream.chooser import Chooser
from proxy.upstream.endpoints import Endpoints
from proxy.upstream.rules import UpstreamRule

NOW = 1000.0


def chooser_of(count=3, balance="round_robin", **knobs):
    urls = [f"http://10.0.0.{n}" for n in range(count)]
    rule = UpstreamRule(endpoints=knobs.pop("endpoints", urls), balance=balance, **knobs)
    endpoints = Endpoints(rule, lambda change: None)
    draws = cycle(((n * 37) % 100 + 0.5) / 100 for n in range(100))
    return Chooser(endpoints, balance, lambda: next(draws)), endpoints


def choose(chooser, now=NOW, key=0):
    choice = Choice(key)
    return chooser.choose(choice, now), choice


def chosen(chooser, count, now=NOW):
    return "".join(choose(chooser, now)[0].url[-1] for _ in range(count))


def again(chooser, choice):
    endpoint = chooser.choose(choice, NOW)
    return endpoint.url[-1], choice.chosen.why


def test_by_turns():
    chooser, _ = chooser_of()

    assert "012012" == chosen(chooser, 6)
    assert "turn" == choose(chooser)[1].chosen.why


def test_the_less_loaded_of_two_is_taken():
    chooser, endpoints = chooser_of(2, "least_requests")
    endpoints.all[0].slots = 4
    endpoints.all[1].slots = 3
    endpoint, choice = choose(chooser)

    assert endpoints.all[1] is endpoint
    assert ("fewer_requests", 3, "http://10.0.0.0", 4) == (
        choice.chosen.why,
        choice.chosen.in_use,
        choice.chosen.rival,
        choice.chosen.rival_in_use,
    )


def test_the_load_is_seen_beside_the_weight():
    weighted = [{"url": "http://10.0.0.0", "weight": 4}, "http://10.0.0.1"]
    chooser, endpoints = chooser_of(balance="least_requests", endpoints=weighted)
    endpoints.all[0].slots, endpoints.all[1].slots = 7, 2

    assert endpoints.all[0] is choose(chooser)[0]


def test_at_rest_the_weights_decide():
    weighted = [{"url": "http://10.0.0.0", "weight": 3}, "http://10.0.0.1"]
    chooser, _ = chooser_of(balance="least_requests", endpoints=weighted)

    assert {"0": 75, "1": 25} == Counter(chosen(chooser, 100))


def test_a_key_leads_to_the_same_one_while_that_may_be_used():
    chooser, endpoints = chooser_of(5, "hash")
    before = {key: choose(chooser, key=key << 56)[0] for key in range(256)}
    lost = endpoints.all[2]
    lost.ejection.eject(1e9, "why", NOW)
    endpoints.refresh(NOW)
    after = {key: choose(chooser, key=key << 56)[0] for key in range(256)}

    assert set(endpoints.all) == set(before.values())
    assert lost not in after.values()
    assert all(after[key] is owner for key, owner in before.items() if owner is not lost)
    assert "hash" == choose(chooser)[1].chosen.why


@pytest.mark.parametrize("balance", ["round_robin", "least_requests", "hash"])
def test_one_that_is_out_of_use_is_never_chosen(balance):
    chooser, endpoints = chooser_of(3, balance)
    endpoints.all[0].health.healthy = False
    endpoints.all[1].ejection.eject(1e9, "why", NOW)
    endpoints.refresh(NOW)

    assert "2" * 20 == chosen(chooser, 20)
    assert "only" == choose(chooser)[1].chosen.why


def test_one_at_rest_comes_back_by_itself():
    chooser, endpoints = chooser_of(2)
    endpoints.all[0].ejection.rest(5, "refused", NOW)
    endpoints.refresh(NOW)

    assert "111" == chosen(chooser, 3)
    assert "01" == chosen(chooser, 2, NOW + 5)


@pytest.mark.parametrize("balance", ["round_robin", "least_requests", "hash"])
def test_a_retry_goes_to_one_that_has_not_failed(balance):
    chooser, _ = chooser_of(4, balance)
    choice = Choice(7)
    given = [again(chooser, choice) for _ in range(4)]

    assert 4 == len({url for url, _ in given})
    assert ["elsewhere"] * 3 == [why for _, why in given[1:]]
    assert not chooser.has_another(choice, NOW)


@pytest.mark.parametrize("balance", ["round_robin", "least_requests", "hash"])
def test_where_all_have_failed_it_is_not_the_last_that_did(balance):
    chooser, _ = chooser_of(2, balance)
    choice = Choice(7)
    given = [again(chooser, choice) for _ in range(3)]

    assert given[0][0] == given[2][0]
    assert "none_better" == given[2][1]


def test_one_whose_rest_is_over_is_another_one():
    chooser, endpoints = chooser_of(2)
    endpoints.all[1].ejection.rest(5, "refused", NOW)
    endpoints.refresh(NOW)
    _, choice = choose(chooser)

    assert not chooser.has_another(choice, NOW)
    assert chooser.has_another(choice, NOW + 5)


def test_one_at_rest_is_better_than_the_one_that_failed():
    chooser, endpoints = chooser_of(2)
    endpoints.all[1].ejection.rest(5, "refused", NOW)
    endpoints.refresh(NOW)
    choice = Choice()

    assert [("0", "only"), ("1", "elsewhere")] == [again(chooser, choice) for _ in range(2)]


def test_the_only_one_is_used_whatever_happened():
    chooser, endpoints = chooser_of(1)
    endpoints.all[0].ejection.rest(5, "refused", NOW)
    endpoints.refresh(NOW)
    choice = Choice()

    assert ["0", "0"] == [again(chooser, choice)[0] for _ in range(2)]


@pytest.mark.parametrize("balance", ["round_robin", "least_requests"])
def test_an_ejected_one_is_given_one_probe_when_its_time_is_over(balance):
    chooser, endpoints = chooser_of(2, balance)
    endpoints.all[0].ejection.eject(30, "why", NOW)
    endpoints.refresh(NOW)
    endpoint, choice = choose(chooser, NOW + 30)

    assert (endpoints.all[0], True, "probe") == (endpoint, choice.is_probe, choice.chosen.why)
    assert "1" * 5 == chosen(chooser, 5, NOW + 30)


def test_a_probe_that_was_diverted_is_still_to_come():
    chooser, endpoints = chooser_of(2)
    ejected, other = endpoints.all
    ejected.ejection.eject(30, "why", NOW)
    endpoints.refresh(NOW)
    _, choice = choose(chooser, NOW + 30)
    chooser.divert(other, choice)
    assert (other, False) == (choice.endpoint, choice.is_probe)

    assert ejected is choose(chooser, NOW + 30)[0]


def test_the_ring_is_made_anew_only_where_the_endpoints_are_others():
    chooser, endpoints = chooser_of(3, "hash")
    choose(chooser)
    made = chooser._ring
    endpoints.refresh(NOW)
    choose(chooser)

    assert made is chooser._ring


def test_a_retry_is_no_probe():
    chooser, endpoints = chooser_of(3)
    endpoints.all[0].ejection.eject(0.001, "why", NOW - 1)
    endpoints.refresh(NOW)
    choice = Choice()
    choice.tried.append(endpoints.all[1])

    assert endpoints.all[2] is chooser.choose(choice, NOW)


def test_a_probe_by_hash_is_for_who_belongs_there():
    chooser, endpoints = chooser_of(2, "hash")
    owners = {key: choose(chooser, key=key << 56)[0] for key in range(256)}
    ejected = endpoints.all[0]
    ejected.ejection.eject(30, "why", NOW)
    endpoints.refresh(NOW)
    others = next(key for key, owner in owners.items() if owner is not ejected)
    own = next(key for key, owner in owners.items() if owner is ejected)

    assert endpoints.all[1] is choose(chooser, NOW + 31, others << 56)[0]
    assert ejected is choose(chooser, NOW + 31, own << 56)[0]


def test_one_that_checks_call_sick_gets_no_probe():
    chooser, endpoints = chooser_of(2)
    endpoints.all[0].ejection.eject(30, "why", NOW)
    endpoints.all[0].health.healthy = False
    endpoints.refresh(NOW)

    assert "111" == chosen(chooser, 3, NOW + 60)


def test_where_checks_leave_none_there_is_none():
    chooser, endpoints = chooser_of(2)
    for endpoint in endpoints.all:
        endpoint.health.healthy = False
    endpoints.refresh(NOW)
    tried = Choice()
    tried.tried.append(endpoints.all[0])

    assert choose(chooser)[0] is None
    assert chooser.choose(tried, NOW) is None


def test_the_less_loaded_are_the_first_to_stand_in_for_a_full_one():
    chooser, endpoints = chooser_of(4)
    _, choice = choose(chooser)
    for endpoint, slots in zip(endpoints.all, (9, 3, 1, 2), strict=True):
        endpoint.slots = slots

    assert [2, 3, 1] == [endpoints.all.index(each) for each in chooser.instead(choice)]
    chooser.divert(endpoints.all[2], choice)
    assert ([endpoints.all[2]], "full") == (choice.tried, choice.chosen.why)


def test_by_hash_the_next_on_the_ring_stands_in_for_a_full_one():
    chooser, endpoints = chooser_of(4, "hash")
    own, choice = choose(chooser, key=99)
    own.ejection.eject(1e9, "why", NOW)
    endpoints.refresh(NOW)
    nearest = choose(chooser, key=99)[0]
    nearest.slots = 9
    own.ejection.end(NOW)
    endpoints.refresh(NOW)

    assert nearest is chooser.instead(choice)[0]


def test_a_slow_start_gets_less_than_its_share_for_a_while():
    chooser, endpoints = chooser_of(2, slow_start="10s")
    endpoints.warm_up(endpoints.all[0], NOW)
    endpoints.refresh(NOW)
    cold = chosen(chooser, 22, NOW).count("0")
    warmer = chosen(chooser, 30, NOW + 5).count("0")
    warm = chosen(chooser, 20, NOW + 10).count("0")

    assert (2, 10, 10) == (cold, warmer, warm)


def test_what_was_known_of_the_others_is_kept_with_the_choice():
    chooser, endpoints = chooser_of(3)
    endpoints.all[1].ejection.eject(30, "5 failures in a row", NOW)
    endpoints.refresh(NOW)
    _, choice = choose(chooser)
    endpoints.all[1].ejection.end(NOW)
    endpoints.refresh(NOW)
    known = choice.chosen.known

    assert 2 == choice.chosen.usable
    assert [
        ("http://10.0.0.1", "ejected", "5 failures in a row", NOW + 30),
        ("http://10.0.0.0", "usable", None, None),
        ("http://10.0.0.2", "usable", None, None),
    ] == [(each.endpoint, each.status, each.reason, each.until) for each in known]
