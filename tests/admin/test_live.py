"""What runs, as JSON."""


def test_the_body_adds_up_and_dates_the_slots(sources) -> None:
    told = sources.live().body()

    assert (4, 2) == (told["in_flight"], told["streams"])
    assert {"in_flight": 3, "streams": 2} == told["routes"]["chat"]
    assert 30 == len(told["slots"])
    assert {
        "began": "2001-09-09T01:46:30.000Z",
        "requests": 0,
        "errors": 0,
        "p50_ms": 10.0,
        "p95_ms": 20.0,
    } == told["slots"][-1]
    assert {"upstreams", "circuit_breakers", "pools", "status", "at"} <= set(told)
