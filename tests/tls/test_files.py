"""Files of certificates and keys, and what is said of those that cannot be used."""

import subprocess

import pytest

from proxy.tls.files import TlsFileError, port_context
from proxy.tls.rules import PortTls


def rule(pair, **more):
    return PortTls(certificate=str(pair.certificate), key=str(pair.key), **more)


def test_a_certificate_and_its_key_make_a_context(authority):
    """One ticket for each connection is enough to take its session up again."""
    context = port_context(rule(authority.server()))

    assert 1 == context.num_tickets


def test_the_key_may_be_in_the_file_of_the_certificate(authority):
    pair = authority.server()
    pair.certificate.write_text(pair.certificate.read_text() + pair.key.read_text())

    port_context(PortTls(certificate=str(pair.certificate)))


def without(name):
    return lambda pair, _: getattr(pair, name).unlink()


def holding(name, text):
    return lambda pair, _: getattr(pair, name).write_text(text)


def encrypt(pair, _):
    command = ["openssl", "pkey", "-in", pair.key, "-aes256", "-passout", "pass:secret"]
    made = subprocess.run(command, check=True, capture_output=True)
    pair.key.write_bytes(made.stdout)


def take_key(pair, other):
    pair.key.write_bytes(other.key.read_bytes())


def block(kind):
    return f"-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n"


NONE = "cannot be read: No such file"
FAULTS = [
    pytest.param(without("certificate"), "certificate", NONE, id="no certificate"),
    pytest.param(without("key"), "key", NONE, id="no key"),
    pytest.param(
        holding("certificate", "x"), "certificate", "holds no certificate", id="another file"
    ),
    pytest.param(holding("key", "x"), "key", "holds no private key in PEM", id="no key in it"),
    pytest.param(take_key, "key", "is not the key of the certificate in", id="another key"),
    pytest.param(encrypt, "key", "is encrypted", id="an encrypted key"),
    pytest.param(holding("key", block("PRIVATE KEY")), "key", "is broken PEM", id="a broken key"),
    pytest.param(
        holding("certificate", block("CERTIFICATE")), "certificate", "is cut off",
        id="a broken certificate",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "key", "words"), FAULTS)
def test_faults_name_the_key_and_the_file(authority, spoil, key, words):
    pair = authority.server()
    spoil(pair, authority.server())

    with pytest.raises(TlsFileError, match=words) as raised:
        port_context(rule(pair))

    assert key == raised.value.key


def test_a_file_of_authorities_must_hold_one(authority, tmp_path):
    (tmp_path / "empty").write_text("nothing")

    with pytest.raises(TlsFileError, match="holds no certificate") as raised:
        port_context(rule(authority.server(), client_ca=str(tmp_path / "empty")))

    assert "client_ca" == raised.value.key
