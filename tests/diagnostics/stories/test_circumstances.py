"""What is proven beyond the code is told, and goes before what the code alone makes likely."""

import pytest

from proxy.diagnostics.stories.circumstances import own_inference, own_runbook
from proxy.diagnostics.stories.diagnosis import diagnose, runbook_of
from proxy.diagnostics.stories.inference import PROVEN
from proxy.outcome import CONNECT_REFUSED
from proxy.upstream.resolved import Resolved
from tests.diagnostics.stories.test_evidence import evidence
from tests.records import attempt

ASKED = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "8"}
HIDDEN = {"cors": "https://a.example may not read the answer"}
EXPIRED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"


def upgrade(asked=ASKED, **switched: str) -> dict[str, object]:
    return {"handshake": asked, "switched": switched}


@pytest.mark.parametrize(
    ("code", "unusual", "found", "proven", "likely", "runbook"),
    [
        pytest.param(
            "tls_failure", {"detail": EXPIRED}, {},
            "The reason: its certificate has expired.", PROVEN, "tls_failure", id="TLS",
        ),
        pytest.param(
            "completed", {"ended": 14.0}, {"stalled": 3.0},
            "Sidelight itself stood still for 3.0 s of the 4.0 s.",
            "The machine, or what limits its CPU, kept the process of Sidelight from running.",
            "own_pause", id="our own pause",
        ),
        pytest.param(
            "response_too_large", {"ended": 14.0}, {"stalled": 3.0},
            "Sidelight itself stood still for 3.0 s of the 4.0 s.",
            "It is this endpoint.",
            "response_too_large", id="a pause that is not why it ended",
        ),
        pytest.param(
            "completed", {"streamed": True, "end_marker": False}, {},
            "But the stream ended without the end marker that its route looks for.",
            "The upstream ended its answer early, so it is not whole.",
            "no_end_marker", id="no end marker",
        ),
        pytest.param(
            "upstream_error", {"upstream_status": 426}, upgrade(**{"sec-websocket-version": "13"}),
            "The client had asked for an upgrade to websocket version 8; "
            "the answer names version 13.",
            "The client speaks another version of WebSocket than the service: that wants 13.",
            "upgrade_refused", id="another version of WebSocket",
        ),
        pytest.param(
            "upstream_error", {"upstream_status": 400}, upgrade({"upgrade": "websocket"}),
            "The client had asked for an upgrade to websocket, but without `Connection: Upgrade`, "
            "so that it was a plain request.",
            "What stands in front of Sidelight, or the client, drops the header `Connection`.",
            "upgrade_refused", id="an upgrade that lost its header",
        ),
        pytest.param(
            "completed", {}, HIDDEN,
            "A page of https://a.example had asked, and `cors.origins` does not let it read the "
            "answer.",
            "The browser has hidden the answer from its page, as a network error.",
            "not_readable", id="CORS",
        ),
    ],
)  # fmt: skip
def test_each_is_proven_and_has_its_inference_and_runbook(
    exchange_of, code, unusual, found, proven, likely, runbook
) -> None:
    x = exchange_of(code, **unusual, evidence=evidence(**found) if found else None)
    neighbours = {"neighbours": {"likely": "it is this endpoint.", "check": "Compare them."}}
    told = diagnose(x, neighbours)

    assert proven in told["proven"]
    assert told["likely"] == likely
    assert runbook_of(x) == runbook


def test_a_compressed_stream_says_that_its_events_were_not_seen(exchange_of) -> None:
    x = exchange_of(streamed=True, is_raw=True, raw_coding="gzip")

    told = diagnose(x)
    assert "came compressed (gzip), so that its events could not be seen" in told["proven"]
    assert "holds its events back" in told["likely"]
    broken = exchange_of("stream_reset", streamed=True, is_raw=True, raw_coding="gzip")
    assert own_inference(broken) is None


@pytest.mark.parametrize(
    ("code", "unusual", "found"),
    [
        pytest.param("completed", {"ended": 14.0}, {"stalled": 0.04}, id="a short pause"),
        pytest.param("completed", {"end_marker": True}, {}, id="an end marker"),
        pytest.param("completed", {"upstream_status": 101}, upgrade(), id="an upgrade that came"),
        pytest.param("completed", {}, {"cors": "https://a may read the answer"}, id="granted"),
        pytest.param("tls_failure", {"detail": "of another kind"}, {}, id="TLS of unknown reason"),
    ],
)
def test_what_is_as_it_should_be_is_not_told(exchange_of, code, unusual, found) -> None:
    x = exchange_of(code, **unusual, evidence=evidence(**found) if found else None)

    assert own_inference(x) is None
    assert own_runbook(x) == ""


def moved(since: float, **unusual: object):
    usual = {"started": 20.0, "outcome": CONNECT_REFUSED, "result": "connect_refused"}
    tried = attempt(**(usual | unusual))
    tried.resolved = Resolved(["10.0.0.9"], since, ["10.0.0.1"])
    return tried


def test_a_name_that_leads_elsewhere_now_is_the_cause_of_what_cannot_be_connected(
    exchange_of,
) -> None:
    x = exchange_of("connect_refused", attempts=[moved(15.0)], ended=20.1)
    told = diagnose(x)

    assert (
        "Its name leads to 10.0.0.9 since 5.0 s before; until then to 10.0.0.1." in told["proven"]
    )
    assert "The answer of the DNS has changed" in told["likely"]


@pytest.mark.parametrize(
    "tried",
    [
        pytest.param(moved(-1000.0), id="long ago"),
        pytest.param(moved(15.0, reused=True), id="a kept connection"),
        pytest.param(moved(15.0, outcome=None), id="an attempt that went well"),
    ],
)
def test_an_old_answer_explains_nothing(exchange_of, tried) -> None:
    assert own_inference(exchange_of("connect_refused", attempts=[tried])) is None


def test_how_long_the_upstream_asked_to_be_left_alone_is_told(exchange_of) -> None:
    tried = attempt(status=429, result="status_429", retry_after=30.0)
    x = exchange_of("upstream_error", attempts=[tried], upstream_status=429)

    assert "It asked to be left alone for 30.0 s (Retry-After)." in diagnose(x)["proven"]
    assert own_inference(x) is None
