"""What came of a reload, bounded."""

from proxy.observation.reload_report import TOLD, ReloadReport, told


def test_of_many_entries_the_rest_is_counted() -> None:
    entries = [f"key{n}" for n in range(TOLD + 7)]

    assert [*entries[:TOLD], "and 7 more"] == told(entries)
    assert entries[:TOLD] == told(entries[:TOLD])


def test_it_is_told_whole() -> None:
    report = ReloadReport("loaded", "watch", "c0ffee", 0.0, ("a.b",), ("state",), ("listen.port",))

    assert {
        "result": "loaded", "cause": "watch", "at": "1970-01-01T00:00:00.000Z",
        "config_hash": "c0ffee", "changed": ["a.b"], "lost": ["state"],
        "needs_restart": ["listen.port"], "faults": [], "warnings": [], "reason": "",
    } == report.body()  # fmt: skip
