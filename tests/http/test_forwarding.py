"""Where a request came from: both forms say the same, and nobody's words break either."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http.forwarding import addresses_told, first_hop, later_hop

few = settings(max_examples=100, deadline=None, database=None)


@pytest.mark.parametrize(
    ("peer", "host", "lines"),
    [
        pytest.param(
            "192.0.2.1", b"a:80",
            [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: a:80",
             b'Forwarded: for=192.0.2.1;host="a:80";proto=http'],
            id="an address",
        ),
        pytest.param(
            "2001:db8::1%eth0", b"a",
            [b"X-Forwarded-For: 2001:db8::1", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: a",
             b'Forwarded: for="[2001:db8::1]";host="a";proto=http'],
            id="IPv6 needs brackets and quotes, and no zone",
        ),
        pytest.param(
            "", b"",
            [b"X-Forwarded-For: unknown", b"X-Forwarded-Proto: http",
             b"Forwarded: for=unknown;proto=http"],
            id="a unix socket, and no host was named",
        ),
        pytest.param(
            "192.0.2.1", b'a"\\',
            [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: http", b'X-Forwarded-Host: a"\\',
             b'Forwarded: for=192.0.2.1;host="a\\"\\\\";proto=http'],
            id="a quote cannot end the host",
        ),
    ],
)  # fmt: skip
def test_the_first_hop(peer: str, host: bytes, lines: list[bytes]) -> None:
    assert lines == first_hop(peer, host, b"http").split(b"\r\n")[:-1]


OURS = b'for=192.0.2.1;host="inner";proto=http'


@pytest.mark.parametrize(
    ("said", "addresses", "proto", "host", "forwarded"),
    [
        pytest.param(
            {}, b"192.0.2.1", b"http", b"inner", OURS, id="a proxy that says nothing",
        ),
        pytest.param(
            {b"x-forwarded-for": b"198.51.100.9, 203.0.113.7", b"x-forwarded-proto": b"https",
             b"x-forwarded-host": b"public"},
            b"198.51.100.9, 203.0.113.7, 192.0.2.1", b"https", b"public",
            b'for=198.51.100.9;host="public";proto=https, for=203.0.113.7, ' + OURS,
            id="only the older form",
        ),
        pytest.param(
            {b"forwarded": b'for="[2001:db8::1]:4711";proto=https;host="public", for=203.0.113.7'},
            b"2001:db8::1, 203.0.113.7, 192.0.2.1", b"https", b"public",
            b'for="[2001:db8::1]:4711";proto=https;host="public", for=203.0.113.7, ' + OURS,
            id="only the newer form",
        ),
        pytest.param(
            {b"x-forwarded-for": b"198.51.100.9", b"x-forwarded-proto": b"https",
             b"forwarded": b"For=198.51.100.9;Proto=https;by=_x"},
            b"198.51.100.9, 192.0.2.1", b"https", b"inner",
            b"For=198.51.100.9;Proto=https;by=_x, " + OURS,
            id="both alike: kept as they are",
        ),
        pytest.param(
            {b"x-forwarded-for": b"198.51.100.9", b"x-forwarded-proto": b"https",
             b"forwarded": b"for=6.6.6.6;proto=http"},
            b"198.51.100.9, 192.0.2.1", b"https", b"inner",
            b"for=198.51.100.9;proto=https, " + OURS,
            id="a contradiction: the older form counts",
        ),
        pytest.param(
            {b"forwarded": b'for=198.51.100.9;proto="https'},
            b"198.51.100.9, 192.0.2.1", b"http", b"inner",
            b"for=198.51.100.9, " + OURS,
            id="an open quotation must not swallow what we add",
        ),
        pytest.param(
            {b"x-forwarded-for": b"", b"forwarded": b""}, b"192.0.2.1", b"http", b"inner", OURS,
            id="empty ones",
        ),
        pytest.param(
            {b"x-forwarded-proto": b"https", b"x-forwarded-host": b"public"},
            b"192.0.2.1", b"https", b"public", b'for=192.0.2.1;host="public";proto=https',
            id="only scheme and host",
        ),
        pytest.param(
            {b"x-forwarded-for": b'::1, 10.0.0.1:80, a"b, _hidden'},
            b'::1, 10.0.0.1:80, a"b, _hidden, 192.0.2.1', b"http", b"inner",
            b'for="[::1]", for="10.0.0.1:80", for="a\\"b", for=_hidden, ' + OURS,
            id="whatever stands there is spelt as the RFC wants it",
        ),
    ],
)  # fmt: skip
def test_a_later_hop_says_the_same_in_both_forms(
    said: dict[bytes, bytes], addresses: bytes, proto: bytes, host: bytes, forwarded: bytes
) -> None:
    lines = later_hop("192.0.2.1", b"inner", b"http", said).split(b"\r\n")

    assert [
        b"X-Forwarded-For: " + addresses,
        b"X-Forwarded-Proto: " + proto,
        b"X-Forwarded-Host: " + host,
        b"Forwarded: " + forwarded,
        b"",
    ] == lines


@few
@given(
    st.dictionaries(
        st.sampled_from([b"x-forwarded-for", b"x-forwarded-host", b"forwarded"]),
        st.text('for="\\,; a1.:[]', max_size=40).map(str.encode),
    )
)
def test_whatever_was_said_what_we_add_stands_at_the_end(said: dict[bytes, bytes]) -> None:
    lines = dict(
        line.split(b": ", 1)
        for line in later_hop("192.0.2.1", b"inner", b"http", said).split(b"\r\n")[:-1]
    )

    assert lines[b"X-Forwarded-For"].endswith(b"192.0.2.1")
    assert b"for=192.0.2.1" in lines[b"Forwarded"].rpartition(b", ")[2]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({b"x-forwarded-for": b"a, b"}, b"a, b", id="the older form"),
        pytest.param({b"forwarded": b"for=192.0.2.9, by=x"}, b"192.0.2.9", id="the newer form"),
        pytest.param({b"forwarded": b"for=6.6.6.6", b"x-forwarded-for": b"a"}, b"a", id="both"),
    ],
)
def test_which_addresses_a_trusted_proxy_told(fields: dict[bytes, bytes], told: bytes) -> None:
    assert told == addresses_told(fields)
