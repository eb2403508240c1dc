"""What `make coverage` refuses."""

import json

import pytest

from tests import measured


@pytest.fixture(autouse=True)
def no_exceptions(monkeypatch) -> None:
    monkeypatch.setattr(measured, "BELOW", {})


def test_a_module_below_the_least_is_named_with_its_figure() -> None:
    assert ["proxy/a.py: 91.9 % of its lines are covered, not 92 %"] == measured.faults(
        {"proxy/a.py": 91.9, "proxy/b.py": 92.0}
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


def test_the_lowest_are_named_with_the_lines_that_nothing_runs() -> None:
    measured_of = {f"proxy/{n:02}.py": 100.0 - n for n in range(20)}
    missing = {file: [3, 4, 5, 9] for file in measured_of} | {"proxy/18.py": []}

    told = measured.lowest(measured_of, missing)

    assert ["81.0 % proxy/19.py: 3-5, 9", "82.0 % proxy/18.py: none"] == [
        line.strip() for line in told[:2]
    ]
    assert measured.TOLD == len(told)


def test_what_is_told_ends_in_the_code_that_make_sees(tmp_path, capsys) -> None:
    report = tmp_path / "report.json"
    one = {"summary": {"percent_covered": 50.0}, "missing_lines": [7]}
    report.write_text(json.dumps({"files": {"proxy/a.py": one}}))

    assert 1 == measured.main(report)
    said = capsys.readouterr()
    assert "proxy/a.py: 50.0 % of its lines are covered" in said.err
    assert " 50.0 % proxy/a.py: 7" in said.out
