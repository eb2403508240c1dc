"""Who counts as the same client."""

import pytest

from proxy.http.request_head import read_request
from proxy.limits.keys import ClientKeys, KeySource, client_network, cookie_value, shared_key
from tests.records import exchange

SECRET = b"k" * 32


def asked(*headers: tuple[bytes, bytes]):
    return read_request("GET", "/", (1, 1), ((b"Host", b"a"), *headers), should_close=False)


def key(source: KeySource, *headers: tuple[bytes, bytes], secret: bytes = SECRET, **fields):
    return ClientKeys(secret).of(source, asked(*headers), exchange(**fields))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no:address", "no:address"),
    ],
)
def test_an_address_stands_for_those_who_have_it_together(address, network):
    assert network == client_network(address)


@pytest.mark.parametrize(
    ("source", "header"),
    [
        pytest.param(KeySource("header", "X-Key"), (b"x-key", b"%b"), id="header"),
        pytest.param(KeySource("cookie", "session"), (b"Cookie", b"a=1; session=%b"), id="cookie"),
    ],
)
def test_who_sends_the_same_value_is_the_same_wherever_it_is(source, header):
    def of(value: bytes, ip: str) -> int:
        return key(source, (header[0], header[1] % value), client_ip=ip)

    assert of(b"ann", "192.0.2.1") == of(b"ann", "192.0.2.2") != of(b"bob", "192.0.2.1")


def test_a_field_tells_clients_apart():
    source = KeySource("field", "user_id")

    assert key(source, fields={"user_id": "ann"}) == key(
        source, fields={"user_id": "ann"}, client_ip="192.0.2.9"
    )
    assert key(source, fields={"user_id": "ann"}) != key(source, fields={"user_id": "bob"})


def test_a_value_of_a_field_has_one_key_whoever_was_asked_for_before():
    keys, source = ClientKeys(SECRET), KeySource("field", "user_id")
    ann, bob, *again = [
        keys.of(source, asked(), exchange(fields={"user_id": one}))
        for one in ("ann", "bob", "ann", "".join(["a", "nn"]), "bob")
    ]

    assert ann != bob
    assert [ann, ann, bob] == again


@pytest.mark.parametrize("headers", [(), ((b"X-Key", b""),)], ids=["none", "empty"])
def test_who_sends_no_value_counts_by_address(headers):
    source = KeySource("header", "X-Key")

    assert key(source, *headers) == key(KeySource("address"))
    assert key(source, *headers) != key(source, *headers, client_ip="192.0.2.2")


def test_no_value_is_the_key_of_an_address():
    source = KeySource("header", "X-Key")

    assert key(source, (b"X-Key", b"192.0.2.1")) != key(KeySource("address"))
    assert key(source, (b"X-Key", b"a192.0.2.1")) != key(KeySource("address"))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(((b"X-Key", b"ann"),), 0x5235A684BA383A8E, id="by value"),
        pytest.param((), 0x812679E565C9136A, id="by address"),
    ],
)
def test_a_shared_key_is_the_same_in_every_process(headers, expected):
    """Written down here: what another process or version makes of it must be this."""
    source = KeySource("header", "X-Key")

    assert expected == shared_key(source, asked(*headers), exchange(client_ip="192.0.2.1"))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("header", "X-Key"), ("cookie", "key"), ("field", "user"), ("address", "")],
)
def test_a_shared_key_is_made_of_what_tells_clients_apart(kind, name):
    def made(value: str, address: str) -> int:
        sent = value.encode()
        headers = ((b"X-Key", sent), (b"Cookie", b"key=" + sent)) if value else ()
        x = exchange(client_ip=address, fields={"user": value} if value else {})
        return shared_key(KeySource(kind, name), asked(*headers), x)

    is_address = kind == "address"
    assert is_address is (made("ann", "192.0.2.1") == made("bob", "192.0.2.1"))
    assert is_address is (made("ann", "192.0.2.1") != made("ann", "192.0.2.2"))
    assert made("", "192.0.2.1") != made("", "192.0.2.2")


def test_shared_keys_are_spread_over_all_of_the_64_bits():
    source = KeySource("header", "X-Key")
    found = [
        shared_key(source, asked((b"X-Key", b"u%d" % n)), exchange()) >> 62 for n in range(400)
    ]

    assert all(60 < found.count(quarter) < 140 for quarter in range(4))


def test_keys_of_another_process_are_others():
    source = KeySource("address")

    assert key(source) != key(source, secret=b"other")


def test_no_more_addresses_are_remembered_than_there_is_room_for():
    keys, source = ClientKeys(SECRET), KeySource("address")
    addresses = [f"192.0.{n // 256}.{n % 256}" for n in range(5000)]
    before = [keys.of(source, asked(), exchange(client_ip=one)) for one in addresses]

    assert len(keys._of_addresses) <= 4096
    assert before[0] == keys.of(source, asked(), exchange(client_ip=addresses[0]))


@pytest.mark.parametrize(
    ("source", "headers", "fields", "words"),
    [
        (KeySource("address"), (), {}, "address 192.0.2.1"),
        (KeySource("address"), (), {"client_ip": "2001:db8::1"}, "address 2001:db8::/64"),
        (KeySource("header", "X-Key"), (), {}, "address 192.0.2.1"),
        (KeySource("header", "X-Key"), ((b"X-Key", b"ann"),), {}, "header X-Key "),
        (KeySource("cookie", "s"), ((b"Cookie", b"s=ann"),), {}, "cookie s "),
        (KeySource("field", "user_id"), (), {"fields": {"user_id": "ann"}}, "user_id "),
    ],
)
def test_what_a_client_chose_is_recorded_as_a_hash_only(source, headers, fields, words):
    told = ClientKeys(SECRET).words(source, asked(*headers), exchange(**fields))

    assert told.startswith(words)
    assert "ann" not in told
    assert len(told) - len(words) == (8 if words.endswith(" ") else 0)


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ((b"s=1",), b"1"),
        ((b"as=2; s=1; s=3",), b"1"),
        ((b"a=s; s = 1 ",), b"1"),
        ((b"a=2", b"s=1"), b"1"),
        ((b"s",), None),
        ((b"as=1",), None),
        ((), None),
    ],
)
def test_the_value_of_a_cookie(sent, value):
    assert value == cookie_value(asked(*((b"Cookie", one) for one in sent)).fields, b"s")


@pytest.mark.parametrize("sent", [b's="ann"', b"s=ann", b'x=1; s="ann" ; y=2'])
def test_quotes_around_a_cookies_value_make_no_other_client(sent):
    assert b"ann" == cookie_value({b"cookie": sent}, b"s")
