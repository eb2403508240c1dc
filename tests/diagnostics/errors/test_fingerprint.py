"""Errors of the same kind have the same fingerprint, whatever their numbers."""

import pytest

from proxy.diagnostics.errors.fingerprint import ErrorKind, detail_class, kind_of
from proxy.fault import fault_of


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ("gap: no byte for 30.5 s", "gap: no byte for # s"),
        ("no address for 'db-7.internal'", "no address for …"),
        ('bad chunk "zz" at 0xff', "bad chunk … at #"),
        ("x" * 500, "x" * 120),
    ],
)
def test_what_varies_is_no_part_of_the_class(detail, kind) -> None:
    assert detail_class(detail) == kind


def test_the_kind_is_code_route_upstream_endpoint_and_detail_class(exchange_of) -> None:
    x = exchange_of("upstream_reset", detail="closed after 3 bytes")

    assert kind_of(x) == ErrorKind(
        "upstream_reset", "chat", "chat", "http://127.0.0.1:8000", "closed after # bytes"
    )


def test_an_upstream_error_is_told_apart_by_its_status(exchange_of) -> None:
    assert kind_of(exchange_of("upstream_error", upstream_status=503)).detail_class == "status 503"


def test_a_fault_of_ours_is_told_apart_by_its_place(exchange_of) -> None:
    fault = KeyError("a user's secret")

    assert kind_of(exchange_of("internal_error", fault=fault_of(fault))).detail_class == "KeyError"


def test_a_fingerprint_is_the_same_after_a_restart() -> None:
    assert ErrorKind("a", "b", "c", "d", "e").fingerprint == "6cf635c05ee7"
    assert ErrorKind("a", "bc").fingerprint != ErrorKind("ab", "c").fingerprint
