"""Who may read what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.guard import (
    HOST_REFUSED,
    OPEN_PATHS,
    TOKEN_MISSING,
    TOKEN_WRONG,
    Ask,
    Guard,
    Refusal,
    host_name,
    is_loopback,
)

TOKEN = "sixteen-letters!"


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_health_and_metrics_are_open_to_everybody_by_any_name(path: str) -> None:
    assert Guard(token=TOKEN).refuse(Ask(path, "rebound.example", "192.0.2.1")) is None


@pytest.mark.parametrize(
    ("unusual", "refusal"),
    [
        pytest.param({}, None, id="from the loopback"),
        pytest.param({"peer": "::1"}, None, id="from the loopback of IPv6"),
        pytest.param({"peer": "::ffff:127.0.0.1"}, None, id="in IPv6 dress"),
        pytest.param({"peer": "192.0.2.1"}, TOKEN_MISSING, id="from elsewhere"),
        pytest.param({"peer": ""}, TOKEN_MISSING, id="from nowhere"),
        pytest.param({"host": "rebound.example"}, HOST_REFUSED, id="by a rebound name"),
        pytest.param({"host": "127.0.0.1.rebound.example"}, HOST_REFUSED, id="that begins well"),
        pytest.param({"host": "localhost.rebound.example"}, HOST_REFUSED, id="or like this"),
        pytest.param({"host": ""}, HOST_REFUSED, id="without a Host"),
        pytest.param({"path": "/api/codes/x"}, None, id="another page"),
    ],
)
def test_without_a_token_the_rest_is_open_on_the_loopback_only(
    unusual: dict[str, str], refusal: Refusal | None
) -> None:
    usual = {"path": "/api/config", "host": "localhost:8081", "peer": "127.0.0.1"}

    assert refusal is Guard().refuse(Ask(**{**usual, **unusual}))


@pytest.mark.parametrize(
    ("authorization", "refusal"),
    [
        pytest.param(f"Bearer {TOKEN}", None, id="right"),
        pytest.param(f"bearer  {TOKEN}", None, id="in small letters"),
        pytest.param("", TOKEN_WRONG, id="none"),
        pytest.param("Bearer", TOKEN_WRONG, id="empty"),
        pytest.param(f"Bearer {TOKEN}x", TOKEN_WRONG, id="longer"),
        pytest.param(f"Bearer {TOKEN[:-1]}", TOKEN_WRONG, id="shorter"),
        pytest.param(f"Basic {TOKEN}", TOKEN_WRONG, id="another scheme"),
        pytest.param("Bearer \udcff", TOKEN_WRONG, id="not UTF-8"),
    ],
)
def test_with_a_token_everybody_needs_it(authorization: str, refusal: Refusal | None) -> None:
    for peer in ("127.0.0.1", "192.0.2.1"):
        ask = Ask("/api/config", "localhost", peer, authorization)

        assert refusal is Guard(token=TOKEN).refuse(ask)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("localhost", True), ("LOCALHOST:8081", True), ("127.0.0.1:8081", True),
        ("[::1]:8081", True), ("::1", True), ("192.0.2.7", True),
        ("sidelight.internal:8081", True), ("", False),
        ("example.com", False), ("[rebound.example]", False), ("127.0.0.1@rebound.example", False),
    ],
)  # fmt: skip
def test_names_that_nobody_can_rebind_are_known(header: str, known: bool) -> None:
    ask = Ask("/api/config", header, "127.0.0.1")

    assert (None if known else HOST_REFUSED) is Guard("Sidelight.Internal").refuse(ask)


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_raises(path: str, host: str, peer: str, authorization: str) -> None:
    Guard(token=TOKEN).refuse(Ask(path, host, peer, authorization))
    Guard().refuse(Ask(path, host, peer, authorization))


def test_a_host_loses_port_brackets_and_case() -> None:
    assert ["a.b", "::1", "::1", "1.2.3.4"] == [
        host_name(header) for header in (" A.b:80 ", "[::1]:80", "::1", "1.2.3.4:1")
    ]


def test_the_whole_of_127_is_loopback() -> None:
    assert is_loopback("127.8.8.8")
    assert not is_loopback("128.0.0.1")
    assert not is_loopback("localhost")
