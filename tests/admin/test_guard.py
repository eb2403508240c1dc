"""Who may read what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.guard import (
    HOST_REFUSED,
    JSON_WANTED,
    OPEN_PATHS,
    TOKEN_MISSING,
    TOKEN_WRONG,
    AdminRefusal,
    Ask,
    Guard,
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
    unusual: dict[str, str], refusal: AdminRefusal | None
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
def test_with_a_token_everybody_needs_it(authorization: str, refusal: AdminRefusal | None) -> None:
    for peer in ("127.0.0.1", "192.0.2.1"):
        ask = Ask("/api/config", "localhost", peer, authorization)

        assert refusal is Guard(token=TOKEN).refuse(ask)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("localhost", True), ("LOCALHOST:8081", True), ("127.0.0.1:8081", True),
        ("[::1]:8081", True), ("::1", False), ("192.0.2.7", True),
        ("sidelight.internal:8081", True), ("", False),
        ("example.com", False), ("[rebound.example]", False), ("127.0.0.1@rebound.example", False),
    ],
)  # fmt: skip
def test_names_that_nobody_can_rebind_are_known(header: str, known: bool) -> None:
    ask = Ask("/api/config", header, "127.0.0.1")

    assert (None if known else HOST_REFUSED) is Guard("Sidelight.Internal").refuse(ask)


@pytest.mark.parametrize(
    ("unusual", "refusal"),
    [
        pytest.param({}, None, id="JSON"),
        pytest.param({"content_type": ""}, JSON_WANTED, id="nothing"),
        pytest.param({"content_type": "text/plain"}, JSON_WANTED, id="what a form can send"),
        pytest.param({"content_type": "", "path": "/session"}, None, id="the form of the token"),
        pytest.param({"host": "rebound.example"}, HOST_REFUSED, id="by a rebound name"),
    ],
)
def test_changes_are_asked_for_in_json(
    unusual: dict[str, str], refusal: AdminRefusal | None
) -> None:
    usual = {"path": "/drain", "host": "localhost", "peer": "127.0.0.1", "method": "POST"}
    ask = Ask(**{**usual, "content_type": "application/json", **unusual})

    assert refusal is Guard().refuse(ask)


@pytest.mark.parametrize("path", ["/session", "/assets/style.css"])
def test_the_way_in_is_open_but_not_by_a_rebound_name(path: str) -> None:
    guard = Guard(token=TOKEN)

    assert guard.refuse(Ask(path, "localhost", "192.0.2.1")) is None
    assert HOST_REFUSED is guard.refuse(Ask(path, "rebound.example", "192.0.2.1"))


def test_a_session_is_as_good_as_the_token_until_it_ends() -> None:
    guard = Guard(token=TOKEN)
    cookie = guard.sessions.begin(TOKEN, 1000.0) or ""

    def ask(wall: float) -> Ask:
        return Ask("/errors", "localhost", "192.0.2.1", cookie=cookie, wall=wall)

    assert guard.refuse(ask(1000.0)) is None
    assert TOKEN_WRONG is guard.refuse(ask(1000.0 + 12 * 3600))


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_raises(path: str, host: str, peer: str, authorization: str) -> None:
    Guard(token=TOKEN).refuse(Ask(path, host, peer, authorization))
    Guard().refuse(Ask(path, host, peer, authorization))


@pytest.mark.parametrize("host", [" LocalHost:80 ", "[::1]:80", "[::1]", "::1", "1.2.3.4:1"])
def test_a_host_is_known_whatever_its_port_brackets_and_case(host: str) -> None:
    assert Guard().refuse(Ask("/errors", host, "127.0.0.1")) is None


@pytest.mark.parametrize("host", ["[::1", "[::1]evil", "::1.evil:80", "1.2.3.4.evil"])
def test_a_host_that_only_begins_like_an_address_is_not_known(host: str) -> None:
    assert HOST_REFUSED is Guard().refuse(Ask("/errors", host, "127.0.0.1"))


def test_the_whole_of_127_is_loopback() -> None:
    assert is_loopback("127.8.8.8")
    assert not is_loopback("128.0.0.1")
    assert not is_loopback("localhost")
