"""The deadline by which an exchange must have committed.

Every timeout and every pause is cut from it, so that no sum of them can outlast it.
"""


class Deadline:
    """A point on the `now` clock; `math.inf` for none."""

    __slots__ = ("at",)

    def __init__(self, at: float) -> None:
        self.at = at

    @classmethod
    def after(cls, seconds: float, now: float) -> "Deadline":
        return cls(now + seconds)

    def left(self, now: float) -> float:
        """Seconds until it, never below 0."""
        left = self.at - now
        return left if left > 0.0 else 0.0
