"""The concurrency limit of a route: its places, and who counts as the same client."""

from proxy import outcome as o
from proxy.exchange import Exchange
from proxy.http.request_head import RequestHead
from proxy.limits.keys import ClientKeys, KeySource
from proxy.limits.places import Places, Ticket
from proxy.limits.refused_keys import RefusedKeys
from proxy.outcome import Outcome


class Concurrency:
    """`wait` is in seconds; `source` tells clients apart, None: nothing does."""

    def __init__(
        self, places: Places, source: KeySource | None, keys: ClientKeys, wait: float
    ) -> None:
        self.places = places
        self.wait = wait
        self.by = "all" if source is None else source.words
        self.refused_keys = RefusedKeys()
        """Clients that had all their places already."""
        self.source = source
        self.keys = keys

    def refusal(self, ticket: Ticket, asked: RequestHead, x: Exchange) -> tuple[Outcome, str]:
        """Why a request that was not granted a place is not let in, and in which words."""
        places = self.places
        if ticket.state == "client_full":
            who = self.keys.words(self.source, asked, x)
            self.refused_keys.count(who, 0.0)
            return o.CLIENT_CONCURRENCY_LIMITED, f"{places.per_client} under way already, by {who}"
        if ticket.state == "waiting":
            return o.QUEUE_TIMEOUT, f"{places.waiting} in the queue for {places.limit} places"
        return o.CONCURRENCY_LIMITED, f"{places.limit} under way and {places.waiting} in the queue"
