"""What may stand under `tls` of a port."""

import pytest
from pydantic import ValidationError

from proxy.tls.rules import PortTls, TrafficTls


def test_certificates_are_forwarded_by_the_port_that_has_upstreams() -> None:
    rule = {"certificate": "tls.crt", "client_ca": "ca.crt", "forward_client_cert": True}

    assert TrafficTls.model_validate(rule).forward_client_cert
    with pytest.raises(ValidationError, match="forward_client_cert"):
        PortTls.model_validate(rule)


@pytest.mark.parametrize("key", ["client_names", "forward_client_cert"])
def test_what_asks_for_certificates_needs_who_issues_them(key: str) -> None:
    value = ["ann.example"] if key == "client_names" else True

    with pytest.raises(ValidationError, match=f"{key} needs? client_ca"):
        TrafficTls.model_validate({"certificate": "tls.crt", key: value})


@pytest.mark.parametrize("written", ["1.2", 1.2, "1.3", 1.3])
def test_a_version_may_look_like_a_number(written: object) -> None:
    assert (
        str(written)
        == PortTls.model_validate({"certificate": "tls.crt", "min_version": written}).min_version
    )
