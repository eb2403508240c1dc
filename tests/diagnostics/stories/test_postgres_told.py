"""What was delivered about alerts is known to all instances, by the clock of each."""

import pytest
from sqlalchemy.exc import DBAPIError

from proxy import clock
from proxy.diagnostics.alerts.fleet import ToldAlert
from proxy.diagnostics.stories.postgres_database import PostgresDatabase
from tests.diagnostics.stories.shared_store import rule_of

KEY = ("errors", "")


@pytest.fixture
def pair(shared):
    made = [PostgresDatabase(shared, rule_of(shared), f"pod-{n}") for n in (1, 2)]
    yield made
    for each in made:
        each.let_go()


def test_what_one_has_told_another_knows_with_its_first_sign_of_life(pair) -> None:
    one, other = pair
    for what in ("raised", "cleared"):
        one.told.mark(KEY, ToldAlert(what, "a-1"))
        one.keep_bounds()
    other.keep_bounds()
    told = other.told.seen[KEY]

    assert ("cleared", "a-1") == (told.what, told.alert_id)
    assert 0 <= clock.now() - told.at < 60


def test_who_asks_sees_at_once_what_another_has_told(pair) -> None:
    """Not only with the next sign of life; and knows as of when."""
    one, other = pair
    other.keep_bounds()
    one.told.mark(KEY, ToldAlert("raised", "a-1"))
    one.keep_bounds()
    asked = clock.now()
    other.keep_bounds()
    unasked = KEY in other.told.seen, other.told.seen_at < asked
    other.told.is_asked = True
    other.keep_bounds()

    assert (False, True) == unasked
    assert KEY in other.told.seen
    assert asked <= other.told.seen_at <= clock.now()
    assert not other.told.is_asked


def test_what_could_not_be_written_is_not_forgotten(pair, cluster, shared) -> None:
    one, other = pair
    one.keep_bounds()
    one.told.mark(KEY, ToldAlert("raised", "a-1"))
    cluster.disconnect(shared.partition("//")[2].partition("@")[0])
    with pytest.raises(DBAPIError) as caught:
        one.keep_bounds()
    one.failed(caught.value)
    one.keep_bounds()
    other.keep_bounds()

    assert {KEY} == set(other.told.seen)
