"""An exchange that did not end well is logged with what its story needs; a plain success is not."""

import pytest

from proxy.observation.end_facts import END_FIELDS, end_facts, since_sent
from proxy.observation.record import event_of
from proxy.outcome import OUTCOMES
from proxy.resilience.opening import Opening
from proxy.upstream.link import Link
from proxy.upstream.resolved import Resolved
from tests.diagnostics.stories.test_evidence import evidence
from tests.records import attempt

FOUND = {
    "framing": "length", "announced": 100, "received": 40, "since_event": 0.5, "round_trip": 0.01,
    "stalled": 0.2, "client_exit": "reset", "handshake": {"upgrade": "websocket"},
    "switched": {"upgrade": "foo"}, "cors": "https://a may not read the answer",
}  # fmt: skip


def broken(exchange_of, code="tls_failure", **unusual):
    """An exchange of which everything is known that can be."""
    failed = OUTCOMES[code] if OUTCOMES[code].result is not None else None
    tried = attempt(
        started=10.0, connect=0.5, upload=0.25, head=1.0, sent=True, outcome=failed, idle=3.0,
        detail="certificate has expired", result=failed and failed.result,
    )  # fmt: skip
    tried.link, tried.use = Link(4.5, "", ""), 7
    tried.link.end = "reset"
    tried.resolved = Resolved(["10.0.0.9"], 8.0, ["10.0.0.1"])
    usual = {
        "attempts": [tried], "ended": 12.0, "evidence": evidence(**FOUND), "last_byte": 1.5,
        "raw_coding": "gzip", "client_wait": 0.125,
    }  # fmt: skip
    return exchange_of(code, **(usual | unusual))


def test_every_fact_can_occur_and_stands_in_its_place(exchange_of) -> None:
    facts = end_facts(broken(exchange_of))
    refused = end_facts(broken(exchange_of, "circuit_open", opening=Opening("manual", 10.5)))

    assert list(END_FIELDS) == [*facts, *[name for name in refused if name not in facts]]
    assert ("manual", 1.5) == (refused["circuit_opened_by"], refused["circuit_opened_ms"])


def test_lengths_of_time_are_logged_in_milliseconds(exchange_of) -> None:
    event = event_of(broken(exchange_of))

    assert {
        "connection_use": 7, "connection_age_ms": 6000.0, "connection_idle_ms": 3000.0,
        "connection_end": "reset", "upload_ms": 250.0, "since_sent_ms": 1250.0,
        "dns_addresses": ["10.0.0.9"], "dns_before": ["10.0.0.1"], "dns_changed_ms": 2000.0,
        "tls_reason": "certificate_expired", "last_byte_ms": 1500.0, "round_trip_ms": 10.0,
    }.items() <= event.items()  # fmt: skip


@pytest.mark.parametrize(
    ("unusual", "told"),
    [
        pytest.param({"evidence": None, "raw_coding": ""}, {}, id="a plain success"),
        pytest.param(
            {"evidence": evidence(round_trip=0.01, cors="https://a may read the answer")},
            {"stream_coding": "gzip"}, id="a slow one of a page that may read it",
        ),
        pytest.param(
            {}, {"stream_coding": "gzip", "stalled_ms": 0.2, "cors": FOUND["cors"]},
            id="what it hides",
        ),
    ],
)  # fmt: skip
def test_a_success_says_only_what_it_hides(exchange_of, unusual, told) -> None:
    x = broken(exchange_of, "completed", **unusual)

    assert told == end_facts(x)
    assert set(told) == set(END_FIELDS) & set(event_of(x))


def test_an_earlier_attempt_ended_as_its_head_did_not_come(exchange_of) -> None:
    first = attempt(started=1.0, head=0.5, sent=True)
    x = exchange_of("head_timeout", attempts=[first, attempt(started=2.0, head=1.0, sent=True)],
                    ended=5.0)  # fmt: skip

    assert 0.5 == since_sent(x, first)
    assert 3.0 == since_sent(x, x.attempts[1])
    assert since_sent(x, attempt(head=1.0)) is None
