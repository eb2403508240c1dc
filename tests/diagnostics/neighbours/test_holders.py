"""Who held the places is told by user, route and age, and without a secret."""

from proxy.diagnostics.neighbours.holders import (
    Holders,
    counts_listed,
    place_standing,
    pool_standing,
)
from proxy.limits.places import Places
from proxy.time_spent import QUEUE
from proxy.upstream.pool import PoolView


def under_way(happen, began, user, phase="S", route="chat"):
    x = happen(began, took=0.0, user=user, path=f"/api/hold/{user}")
    x.outcome, x.ended, x.route, x.phase = None, 0.0, route, phase
    return x


def refused(happen, at, code="pool_timeout", detail=None):
    x = happen(at, code=code, status=None, attempts=[])
    x.detail = detail
    return x


def holders(running, told=None):
    return Holders(lambda: running, lambda _: told or {"size": 2, "in_use": 2, "waiting": 1})


def test_those_that_have_a_connection_are_told_the_oldest_first(happen) -> None:
    running = [
        under_way(happen, 90.0, "u1"),
        under_way(happen, 60.0, "u2", phase="H"),
        under_way(happen, 95.0, "u3", phase="Q"),  # waits for a limit
        under_way(happen, 96.0, "u4", phase="C"),
        under_way(happen, 101.0, "u5"),  # came later
    ]
    running[3].spent.enter(QUEUE, 97.0)  # waits for a connection
    x = refused(happen, 100.0)
    told = holders(running).of(x, [x])

    assert told is not None
    assert told["words"][:2] == [
        "pool: size 2, in use 2, waiting 1",
        "2 places held for 10.0 s to 40.0 s: by user_id u1 (1), user_id u2 (1); on route chat (2)",
    ]
    assert [each["age_ms"] for each in told["oldest"]] == [40_000.0, 10_000.0]


def test_what_ended_just_after_it_still_had_its_place(happen) -> None:
    x, late = refused(happen, 100.0), happen(100.005, took=30.0, user="u1")
    late.phase = "S"
    told = holders([]).of(x, [x, late])

    assert told is not None
    assert told["holders"] == 1


def test_a_limit_of_a_route_is_held_by_all_of_the_route(happen) -> None:
    running = [under_way(happen, 90.0, "u1", "R"), under_way(happen, 90.0, "u2", route="api")]
    x = refused(happen, 100.0, "concurrency_limited", "1 under way and 0 in the queue")
    overall = refused(happen, 100.0, "concurrency_limited", "listen.concurrency: 2 under way")
    told, of_all = holders(running).of(x, [x]), holders(running).of(overall, [overall])

    assert told is not None
    assert of_all is not None
    assert (told["by"], told["holders"]) == ("concurrency.limit", 1)
    assert (of_all["by"], of_all["holders"]) == ("listen.concurrency", 2)


def test_who_was_not_refused_a_place_has_no_holders(happen) -> None:
    x = refused(happen, 100.0, "head_timeout")

    assert holders([under_way(happen, 90.0, "u1")]).of(x, [x]) is None


def test_a_storm_of_refusals_looks_four_times_a_second_at_most(happen) -> None:
    looks = 0

    def running():
        nonlocal looks
        looks += 1
        return [under_way(happen, 90.0, "u1")]

    found = Holders(running, lambda _: {})
    for n in range(100):
        x = refused(happen, 100.0 + n / 100)
        found.of(x, [x])

    assert looks == 4


def test_what_is_under_way_is_redacted(happen) -> None:
    """It is not recorded yet."""
    running = under_way(happen, 90.0, "Bearer abcdef123456")
    running.target = "/x?token=abcdef123456"
    x = refused(happen, 100.0)

    assert "abcdef123456" not in str(holders([running]).of(x, [x]))


def test_where_all_have_left_that_is_said(happen) -> None:
    x = refused(happen, 100.0)
    told = holders([]).of(x, [x])

    assert told is not None
    assert told["words"][-1] == "whoever held the places had left when this was recorded"


def test_how_pools_and_places_stand() -> None:
    assert pool_standing(PoolView(4, 3, 1, 2, 0.0)) == {"size": 4, "in_use": 3, "waiting": 2}
    assert place_standing(Places(5)) == {"size": 5, "in_use": 0, "waiting": 0}
    assert place_standing(Places(None, 2)) == place_standing(None) == {}


def test_counts_are_listed() -> None:
    assert counts_listed({"route chat": 2, "route api": 1}) == "route chat (2), route api (1)"


def test_who_has_most_of_the_places_is_told_with_the_oldest(happen) -> None:
    running = [under_way(happen, 90.0 + n, "u1" if n else "u2", route="slow") for n in range(3)]
    running.append(under_way(happen, 99.0, "u1", route="fast"))
    x = refused(happen, 100.0)
    told = holders(running).of(x, [x])

    assert told is not None
    assert told["likely"] == (
        "The places are held by route slow (3 of 4) and user_id u1 (3 of 4); the oldest for 10.0 s."
    )
    assert told["check"] == (
        f"Look up {running[0].request_id}, the oldest of those that held them."
    )


def test_of_a_clients_own_limit_only_that_client_holds_places(happen) -> None:
    running = [under_way(happen, 90.0, "u7"), under_way(happen, 91.0, "u1")]
    x = refused(happen, 100.0, "client_concurrency_limited", "1 under way already, by user_id 63df")
    x.fields = {"user_id": "u7"}
    told = holders(running).of(x, [x])

    assert told is not None
    assert told["by_user"] == {"user_id u7": 1}
