"""Which exchange a series names, and how."""

import pytest

from proxy.observation.exemplars import CHARS, exemplar_of

TRACE = "a" * 32


@pytest.mark.parametrize(
    ("request_id", "trace_id", "labels"),
    [
        pytest.param("id-1", "", {"request_id": "id-1"}, id="no trace"),
        pytest.param("id-1", TRACE, {"request_id": "id-1", "trace_id": TRACE}, id="both"),
        pytest.param(
            "i" * 78, TRACE, {"request_id": "i" * 78, "trace_id": TRACE}, id="both fit exactly"
        ),
        pytest.param("i" * 79, TRACE, {"request_id": "i" * 79}, id="only the request ID fits"),
        pytest.param("sk-" + "s" * 20, "", {"request_id": "[redacted]"}, id="a secret"),
    ],
)
def test_an_exemplar_names_the_exchange(request_id, trace_id, labels) -> None:
    told = exemplar_of((request_id, bytes.fromhex(trace_id), 0.5, 1e9))

    assert (labels, 0.5, 1e9) == (told.labels, told.value, told.timestamp)


@pytest.mark.parametrize("request_id", ["", "i" * (CHARS - len("request_id") + 1)])
def test_no_exemplar_without_an_id_that_fits(request_id: str) -> None:
    assert exemplar_of((request_id, bytes.fromhex(TRACE), 0.5, 1e9)) is None
