"""What spans say of a route."""

from proxy.tracing.wire import sized


class RouteWords:
    """Its pattern, and the names of the spans that it gives."""

    def __init__(self, path: str, prefix: str | None) -> None:
        self.path = path
        """The pattern that it matches."""
        self.prefix = prefix
        """What is cut off the path; None where nothing is."""
        self._names: dict[str, bytes] = {}

    def name_of(self, method: str) -> bytes:
        """`Span.name`, written once for each method that the conventions know."""
        name = self._names.get(method)
        if name is None:
            name = self._names[method] = sized(b"\x2a", f"{method} {self.path}".encode())
        return name
