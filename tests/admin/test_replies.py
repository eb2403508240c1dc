"""Bodies that come in."""

import pytest

from proxy.admin.replies import json_body


class Sent:
    """A request of which only the body is read."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        return self._body


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"", {}), (b" \n", {}), (b"{}", {}), (b'{"for": "1h"}', {"for": "1h"}),
        (b"[]", None), (b"null", None), (b"{", None), (b"\xff", None), (b"[" * 100_000, None),
    ],
)  # fmt: skip
async def test_only_an_object_is_a_body(sent: bytes, body: object) -> None:
    assert body == await json_body(Sent(sent))
