"""Places are never more than there are, and those who wait are served in turn."""

from collections import Counter
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from proxy.limits.places import Places, Ticket


def states(tickets: list[Ticket]) -> list[str]:
    return [ticket.state for ticket in tickets]


def test_as_many_as_there_are_places_come_in_and_the_next_waits_its_turn() -> None:
    places = Places(2, room=1)
    first, second, third, fourth = (places.ask(client) for client in range(4))

    assert ["granted", "granted", "waiting", "full"] == states([first, second, third, fourth])
    places.leave(first)
    assert ["left", "granted", "granted", "full"] == states([first, second, third, fourth])


def test_a_client_has_no_more_than_it_may_have_waiting_ones_included() -> None:
    places = Places(1, per_client=2, room=5)
    tickets = [places.ask(7) for _ in range(3)]

    assert ["granted", "waiting", "client_full"] == states(tickets)
    assert "waiting" == places.ask(8).state
    places.leave(tickets[0])
    assert "waiting" == places.ask(7).state


def test_without_a_limit_only_clients_are_limited() -> None:
    places = Places(None, per_client=1)

    assert ["granted", "granted", "client_full"] == states([places.ask(n) for n in (1, 2, 1)])


def test_one_greedy_client_delays_others_by_one_request_only() -> None:
    places = Places(1, room=50)
    running = places.ask(1)
    greedy = [places.ask(1) for _ in range(20)]
    others = [places.ask(client) for client in (2, 3)]
    places.leave(running)
    places.leave(greedy[0])
    assert ["left", "waiting", "granted", "waiting"] == states([*greedy[:2], *others])
    places.leave(others[0])

    assert ["waiting", "left", "granted"] == states([greedy[1], *others])


def test_where_the_queue_is_full_who_has_most_in_it_gives_one_up() -> None:
    places = Places(1, room=3)
    places.ask(1)
    greedy = [places.ask(1) for _ in range(3)]
    other = places.ask(2)

    assert ["waiting", "waiting", "full", "waiting"] == states([*greedy, other])
    assert ["full", "waiting"] == states([places.ask(1), places.ask(3)])
    assert ["waiting", "full"] == states(greedy[:2])
    assert "full" == places.ask(4).state


def test_who_leaves_the_queue_frees_its_place_at_once() -> None:
    places = Places(1, per_client=1, room=1)
    running, waiting = places.ask(1), places.ask(2)
    places.leave(waiting)

    assert 0 == places.waiting
    assert "waiting" == places.ask(2).state
    places.leave(waiting)
    assert 1 == places.waiting
    assert "granted" == running.state


def test_who_is_granted_or_pushed_out_is_woken() -> None:
    places, woken = Places(1, room=2), []
    running = places.ask(1)
    for client in (2, 2):
        ticket = places.ask(client)
        ticket.wake = partial(lambda one: woken.append(one.state), ticket)
    places.ask(3)
    places.leave(running)

    assert ["full", "granted"] == woken


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=200)


@given(STEPS, st.integers(1, 4), st.integers(1, 3), st.integers(0, 4))
def test_no_place_is_lost_and_none_is_given_twice(steps, limit, per_client, room) -> None:
    places, tickets = Places(limit, per_client, room), []
    for asks, number in steps:
        if asks or not tickets:
            tickets.append(places.ask(number))
        else:
            places.leave(tickets.pop(number % len(tickets)))
        held = Counter(t.client for t in tickets if t.state in ("granted", "waiting"))
        granted = states(tickets).count("granted")

        assert (granted, states(tickets).count("waiting")) == (places.in_use, places.waiting)
        assert granted <= limit
        assert places.waiting <= room
        assert not places.waiting or granted == limit
        assert max(held.values(), default=0) <= per_client
    for ticket in tickets:
        places.leave(ticket)
    assert (0, 0, {}, {}) == (places.in_use, places.waiting, places._of, places._queues)


def test_more_places_let_those_in_who_wait() -> None:
    places = Places(1, room=3)
    tickets = [places.ask(n) for n in range(3)]
    places.resize(2, None, 3)

    assert ["granted", "granted", "waiting"] == states(tickets)


def test_fewer_places_are_reached_as_those_who_are_in_leave() -> None:
    places = Places(3, room=1)
    tickets = [places.ask(n) for n in range(4)]
    places.resize(1, None, 1)
    for n in range(2):
        places.leave(tickets[n])
        assert "waiting" == tickets[3].state
    places.leave(tickets[2])

    assert ("granted", 1) == (tickets[3].state, places.in_use)


def test_another_room_and_share_hold_for_the_next() -> None:
    places = Places(1, room=2)
    places.ask(7)
    places.resize(1, 1, 0)

    assert ["client_full", "full"] == states([places.ask(7), places.ask(8)])
