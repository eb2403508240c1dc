"""The beginning of a request's body, kept while it goes up so that it can be sent again."""


class KeptBody:
    """All that was taken of a body, for as long as that is within `limit` bytes.

    `length` is what was announced; None: nothing was.
    """

    __slots__ = ("_data", "_fits", "_limit", "is_lost")

    def __init__(self, limit: int, length: int | None = None) -> None:
        self._limit = limit
        self._fits = length is None or length <= limit
        self._data = bytearray()
        self.is_lost = False
        """Whether it became too much: then nothing is kept, and the body can not be sent again."""

    def add(self, piece: bytes) -> None:
        """The next bytes were taken."""
        if not self.has_room(len(piece)):
            self.is_lost = True
            self._data = bytearray()
        elif not self.is_lost:
            self._data += piece

    def has_room(self, size: int) -> bool:
        """Whether so many bytes more can be kept."""
        return not self.is_lost and len(self._data) + size <= self._limit

    @property
    def may_be_whole(self) -> bool:
        """Whether all of the body may be kept in the end."""
        return self._fits and not self.is_lost

    def joined(self) -> bytes:
        return bytes(self._data)
