"""The table of metrics, its docs, and the code that counts, are of one mind."""

import re
from pathlib import Path

from proxy.observation.families import CONN, EVT, FAMILIES, GAP, OVH, REQ, SIZE, TTFE

ROOT = Path(__file__).parents[2]
BUCKETS = {
    REQ: "REQ", TTFE: "TTFE", EVT: "EVT", GAP: "GAP", CONN: "CONN", OVH: "OVH", SIZE: "SIZE", (): ""
}  # fmt: skip


def test_the_docs_list_every_metric_and_no_other() -> None:
    docs = (ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(sidelight_\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", docs, re.MULTILINE)

    assert [
        (
            family.name,
            f"{family.kind} {BUCKETS[family.buckets]}".strip(),
            ", ".join(f"`{label}`" for label in family.labels),
            family.help,
        )
        for family in FAMILIES.values()
    ] == rows


def test_the_docs_list_every_bucket() -> None:
    docs = (ROOT / "docs/metrics.md").read_text()
    rows = dict(re.findall(r"^\| ([A-Z]+) \| (.*?) \|$", docs, re.MULTILINE))

    assert {
        name: " ".join(f"{bound:g}" if name != "SIZE" else str(int(bound)) for bound in bounds)
        for bounds, name in BUCKETS.items()
        if name
    } == rows


def test_every_metric_has_code_that_counts_it() -> None:
    """No family without a subject."""
    code = "".join(
        path.read_text()
        for path in (ROOT / "proxy/observation").glob("*.py")
        if path.name != "families.py"
    )

    assert [] == [name for name in FAMILIES if f'"{name}"' not in code]


def test_names_say_their_units_and_counters_end_in_total() -> None:
    for family in FAMILIES.values():
        assert (family.kind == "counter") == family.name.endswith("_total")
        assert (family.kind == "histogram") == bool(family.buckets)
        if family.buckets:
            assert family.name.endswith(("_seconds", "_bytes", "_events"))
            assert list(family.buckets) == sorted(set(family.buckets))
