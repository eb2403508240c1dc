"""The validity of certificates, read from their text."""

import ssl
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.tls.dates import validities


def decoded(path):
    """What OpenSSL reads in a certificate of an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return context.get_ca_certs()[0]


def test_it_is_what_openssl_reads(authority):
    (found,) = validities(authority.certificate.read_text())
    told = decoded(authority.certificate)

    assert ssl.cert_time_to_seconds(told["notBefore"]) == found.begins
    assert ssl.cert_time_to_seconds(told["notAfter"]) == found.ends


def test_every_certificate_of_a_chain_is_read(authority):
    chain = authority.server().certificate.read_text() + authority.certificate.read_text()

    first, second = validities(f"# a comment\n{chain}")

    assert first.ends > second.ends


@pytest.mark.parametrize("text", ["AAAA", "!!", "MAA=", ""])
def test_what_is_broken_is_refused(text):
    with pytest.raises(ValueError, match="a certificate"):
        validities(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data):
    text = ssl.DER_cert_to_PEM_cert(data)
    with suppress(ValueError):
        validities(text)
