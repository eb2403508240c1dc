"""What is known of a connection, and outlives it."""

import pytest

from proxy.upstream.link import Link


def test_connections_are_counted() -> None:
    first, second = (Link(1.0, None, None) for _ in range(2))

    assert second.number == first.number + 1


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param(("10.0.0.1", 80), "10.0.0.1:80", id="IPv4"),
        pytest.param(("::1", 80, 0, 0), "[::1]:80", id="IPv6"),
        pytest.param("/run/app.sock", "/run/app.sock", id="a Unix socket"),
        pytest.param("", "", id="one without a name"),
        pytest.param(None, "", id="not known"),
    ],
)
def test_addresses_are_said_as_other_programs_show_them(address, said) -> None:
    assert Link(1.0, None, address).peer == said
