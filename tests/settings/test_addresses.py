"""Hosts to listen on."""

import socket

import pytest

from proxy.settings import addresses
from proxy.settings.reading import read


def faults(text):
    tree, _ = read(text, "x", {})
    return [str(fault) for fault in addresses.address_faults(tree)]


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "::", "::1", "fe80::1%lo", "localhost"])
def test_an_address_or_a_name_that_is_known_is_taken(host):
    assert faults(f"listen: {{ host: '{host}' }}") == []


@pytest.fixture
def nobody_knows(monkeypatch):
    def refuse(*_arguments, **_named):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", refuse)  # type: ignore[attr-defined]


NO_NAME = (
    "is no address of this machine and no name that can be resolved; "
    "write an address such as 127.0.0.1, 0.0.0.0 for all of IPv4, or :: for all"
)


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("no.such", f'"no.such" {NO_NAME}'),
        ("'*'", f'"*" {NO_NAME}'),
        ("a:b:c", f'"a:b:c" {NO_NAME}'),
        (
            "0.0.0.0:8080",
            '"0.0.0.0:8080" has a port in it; write host: "0.0.0.0" and port: 8080',
        ),
        ("'[::1]:80'", '"[::1]:80" has a port in it; write host: "::1" and port: 80'),
        (
            "http://localhost:80/",
            '"http://localhost:80/" has a port in it; write host: "localhost" and port: 80',
        ),
        ("'[::1]'", '"[::1]" must stand without brackets: "::1"'),
    ],
)
def test_any_other_is_refused_with_the_remedy(nobody_knows, host, fault):
    assert faults(f"admin: {{ host: {host} }}") == [f"x:1:16: admin.host: {fault}"]


def test_a_name_that_cannot_be_a_name_is_refused(nobody_knows):
    assert faults(f"listen: {{ host: {'a' * 70}.b }}") != []


@pytest.mark.parametrize("text", ["listen: {}", "a: b", "listen: x", "listen: { host: }"])
def test_what_is_not_there_is_no_fault_here(nobody_knows, text):
    assert faults(text) == []
