"""Attributes of spans whose values mostly differ from one exchange to the next."""

from proxy.tracing import conventions as c
from proxy.tracing.wire import SpanAttribute, text_heads, utf8


class Texts:
    """Keeps a value where many requests come from one client, else what stands before one of each
    length."""

    def __init__(self) -> None:
        self.request_id = text_heads(c.REQUEST_ID)
        self.client, self.agent = SpanAttribute(c.CLIENT_ADDRESS), SpanAttribute(c.USER_AGENT)
        self._full = text_heads(c.URL_FULL)
        self._path, self._query = text_heads(c.URL_PATH), text_heads(c.URL_QUERY)

    def target(self, target: str) -> bytes:
        """Of the SERVER span: path and query."""
        path, _, query = utf8(target).partition(b"?")
        told = self._path.of(len(path)) + path
        return b"%b%b%b" % (told, self._query.of(len(query)), query) if query else told

    def url(self, url: str) -> bytes:
        """Of a CLIENT span."""
        full = utf8(url)
        return self._full.of(len(full)) + full
