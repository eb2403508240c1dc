"""What spans say of a route."""


class RouteWords:
    """Its pattern, and what it makes of a path."""

    def __init__(self, path: str, prefix: str | None) -> None:
        self.path = path
        """The pattern that it matches."""
        self.prefix = prefix
        """What is cut off the path; None where nothing is."""
