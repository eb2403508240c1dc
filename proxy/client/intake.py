"""What arrives of a client before its turn: how much of it waits, and when reading must pause."""

from proxy import outcome as o
from proxy.client.owner import Owner
from proxy.client.reading import Reading
from proxy.client.request_reader import RequestReader


class Intake:
    """Counts what one connection's reader holds, and tells the owner of all connections."""

    __slots__ = ("_owner", "_reader", "_reading", "dropped", "held")

    def __init__(self, owner: Owner, reader: RequestReader, reading: Reading) -> None:
        self._owner = owner
        self._reader = reader
        self._reading = reading
        self.held = 0
        """Bytes waiting for their turn, as last reported to the owner."""
        self.dropped = 0
        """Bytes read and dropped since the last answer."""

    def look_behind(self) -> bool:
        """Judge and count what waits behind the request under way; read on if there is room.

        False where no more is to be read for now.
        """
        reader = self._reader
        held = reader.held
        if held and reader.body.is_whole and not reader.may_switch:
            reader.is_ready()  # a fault is found at once, and what comes behind it not kept
        if self._reading.is_paused and not reader.is_full:
            self._reading.resume()
        may_hold = not (held or self.held) or self.account()
        return may_hold and not reader.is_full

    def account(self) -> bool:
        """Report how much waits for its turn. False where all connections hold too much."""
        held = self._reader.held
        more, self.held = held - self.held, held
        return self._owner.may_hold(more) or more <= 0

    def account_head(self) -> bool:
        """The same of an unfinished head, which is refused where it is too much."""
        held = self._reader.held
        more, self.held = held - self.held, held
        if self._owner.may_hold(more):
            return True
        self._reader.refuse(o.OVERLOAD_SHED, "listen.unread_bytes: too much is held")
        return False

    def drop(self, data: bytes) -> bool:
        """Take bytes of which nothing is kept; whether their end is still looked for."""
        self.dropped += len(data)
        if self._reader.is_over:
            return False
        self._reader.add(data)
        return True
