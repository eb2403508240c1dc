"""Which name of a client's certificate counts, and how upstreams hear of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.tls.client_certificate import chosen_name, forwarded_line, names_in


def shown(*alternative, common="ann"):
    told = {"subject": ((("commonName", common),),)}
    return {**told, "subjectAltName": alternative} if alternative else told


DNS, URI, MAIL = ("DNS", "Ann.example"), ("URI", "spiffe://x/ann"), ("email", "ann@example")


@pytest.mark.parametrize(
    ("told", "names"),
    [
        pytest.param(shown(DNS, URI), ("spiffe://x/ann", "Ann.example"), id="URIs come first"),
        pytest.param(shown(), ("ann",), id="the common name where there is no other"),
        pytest.param(shown(MAIL), (), id="no common name where there are others of any kind"),
    ],
)
def test_names(told, names):
    assert names == names_in(told)


@pytest.mark.parametrize(
    ("names", "allowed", "chosen"),
    [
        pytest.param(("a", "b"), (), "a", id="all are allowed"),
        pytest.param((), (), "", id="a certificate without a name"),
        pytest.param(("a", "B.x"), ("b.X",), "B.x", id="host names are compared without case"),
        pytest.param(("spiffe://x/A",), ("spiffe://x/a",), None, id="URIs with it"),
        pytest.param(("a.b.x",), ("b.x",), None, id="whole names only"),
    ],
)
def test_the_name_that_is_let_in(names, allowed, chosen):
    assert chosen == chosen_name(names, allowed)


def test_the_line_is_that_of_envoy():
    line = forwarded_line(shown(URI, DNS, common="An, n"), b"der")

    assert line.startswith(b"X-Forwarded-Client-Cert: Hash=")
    assert line.endswith(b';Subject="commonName=An, n";URI=spiffe://x/ann;DNS=Ann.example\r\n')


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_breaks_out_of_its_line(common, name):
    line = forwarded_line(shown(("DNS", name), common=common), b"").removesuffix(b"\r\n")

    assert line.isascii()
    assert line.decode("ascii").isprintable()
    assert line.count(b'"') in (2, 4)
