"""How an https endpoint is believed."""

import ssl

import pytest

from proxy.tls.files import TlsFileError
from proxy.upstream.rules import TlsRule
from proxy.upstream.tls import context_of


def test_certificates_and_names_are_checked():
    context = context_of(TlsRule())

    assert context.check_hostname
    assert ssl.CERT_REQUIRED is context.verify_mode


def test_checking_can_be_switched_off():
    assert ssl.CERT_NONE is context_of(TlsRule(verify=False)).verify_mode


def test_a_given_authority_replaces_those_of_the_system(certificate):
    assert len(context_of(TlsRule(ca_file=certificate)).get_ca_certs()) == 1


def test_a_ca_file_that_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(TlsFileError, match="No such file"):
        context_of(TlsRule(ca_file=str(tmp_path / "none.pem")))


def test_a_ca_file_without_a_certificate_is_an_error(tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(TlsFileError, match="holds no certificate"):
        context_of(TlsRule(ca_file=str(tmp_path / "empty.pem")))
