"""What `make coverage` refuses."""

from tests import measured


def test_a_module_below_the_least_is_named_with_its_figure() -> None:
    assert ["proxy/a.py: 89.9 % of its lines are covered, not 90 %"] == measured.faults(
        {"proxy/a.py": 89.9, "proxy/b.py": 90.0}
    )


def test_a_listed_module_is_held_to_its_own_figure(monkeypatch) -> None:
    monkeypatch.setattr(measured, "BELOW", {"proxy/a.py": (50.0, "why"), "proxy/b.py": (50, "why")})

    assert ["proxy/a.py: 49.0 % of its lines are covered, not 50 %"] == measured.faults(
        {"proxy/a.py": 49.0, "proxy/b.py": 50.0}
    )


def test_what_is_listed_without_need_is_named(monkeypatch) -> None:
    monkeypatch.setattr(measured, "BELOW", {"proxy/a.py": (50.0, "why"), "gone.py": (50.0, "why")})

    found = measured.faults({"proxy/a.py": 95.0})

    assert ["proxy/a.py", "gone.py"] == [fault.partition(":")[0] for fault in found]
