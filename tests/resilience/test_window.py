"""The window counts what is recent and forgets the rest."""

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.resilience.window import SLOTS, Window


def test_it_counts_attempts_and_failures() -> None:
    window = Window(30.0)
    window.add(1000.0, failed=True)
    window.add(1001.0, failed=False)
    window.add(1012.0, failed=True)

    assert window.counts(1013.0) == (3, 2)


def test_it_forgets_what_is_older_without_being_fed() -> None:
    window = Window(30.0)
    window.add(0.0, failed=True)

    assert (window.counts(26.9), window.counts(30.0)) == ((1, 1), (0, 0))


def test_it_forgets_everything_when_cleared() -> None:
    window = Window(30.0)
    window.add(1000.0, failed=True)
    window.clear()

    assert window.counts(1000.0) == (0, 0)


def test_a_clock_that_steps_back_loses_no_attempt() -> None:
    window = Window(30.0)
    window.add(1000.0, failed=False)
    window.add(990.0, failed=True)

    assert window.counts(1000.0) == (2, 1)


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.floats(0.01, 100),
    st.lists(st.tuples(st.floats(0, 12), st.booleans()), min_size=1, max_size=60),
)
def test_it_agrees_with_a_list_but_for_its_oldest_slot(
    length: float, steps: list[tuple[float, bool]]
) -> None:
    """All of the last nine tenths are counted, nothing from before the window is."""
    window, now, past = Window(length), 0.0, []
    for elapsed, failed in steps:
        now += elapsed * length / 10
        window.add(now, failed=failed)
        past.append((now, failed))
        attempts, failures = window.counts(now)
        surely = [f for at, f in past if at > now - length * (SLOTS - 1.01) / SLOTS]
        perhaps = [f for at, f in past if at > now - length * 1.01]

        assert len(surely) <= attempts <= len(perhaps)
        assert sum(surely) <= failures <= sum(perhaps)
