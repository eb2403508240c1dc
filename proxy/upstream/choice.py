"""What one exchange knows of the endpoints while it looks for one that answers."""

from proxy.upstream.chosen import Chosen
from proxy.upstream.endpoint import Endpoint


class Choice:
    """The endpoints that it was given, in turn, and why the last one."""

    __slots__ = ("chosen", "endpoint", "is_probe", "key", "tried")

    def __init__(self, key: int = 0) -> None:
        self.key = key
        """Of the client, 64 bits, where a hash decides."""
        self.tried: list[Endpoint] = []
        """Those that it was given, the last one included."""
        self.endpoint: Endpoint | None = None
        """The last one, while nothing is known of how it did."""
        self.is_probe = False
        """Whether that is ejected, and the attempt shows whether it works again."""
        self.chosen: Chosen | None = None
        """Why it was that."""

    def refuses(self, endpoint: Endpoint) -> bool:
        """Whether a connection to it is no use: it has failed the exchange before."""
        return endpoint is not self.endpoint and endpoint in self.tried
