"""State machines as tables: which event leads from which state to which.

Code, documentation and tests read the same table.
States and events are small integers in the code, so that a step costs one look-up in a list;
they have names wherever people read them. Knows nothing of what the states mean.
"""

from collections.abc import Mapping, Sequence

Rows = Mapping[str, Mapping[str, str]]
"""By state, then by event: the next state. What is left out cannot happen."""

_IMPOSSIBLE = -1


class ImpossibleTransitionError(Exception):
    """A bug of ours: the table has no such event in that state."""


class Transitions:
    """`states` and `events` give the names in the order of their numbers.

    Raises ValueError where `rows` are not about exactly these.
    """

    __slots__ = ("events", "following", "rows", "states", "width")

    def __init__(self, states: Sequence[str], events: Sequence[str], rows: Rows) -> None:
        self.states = tuple(states)
        self.events = tuple(events)
        self.rows = rows
        self.width = len(self.events)
        self.following: list[int] = []
        """The next state at `state * width + event`; below 0 where that cannot happen."""
        named = {event for row in rows.values() for event in row}
        if list(rows) != list(states) or named != set(events):
            raise ValueError("the rows are about other states or events")
        for row in rows.values():
            self.following += [self._number(row.get(event)) for event in self.events]

    def after(self, state: int, event: int) -> int:
        """The state that `event` leads to. Raises ImpossibleTransitionError."""
        then = self.following[state * self.width + event]
        if then == _IMPOSSIBLE:
            raise ImpossibleTransitionError(f"{self.events[event]} while {self.states[state]}")
        return then

    def _number(self, state: str | None) -> int:
        return _IMPOSSIBLE if state is None else self.states.index(state)
