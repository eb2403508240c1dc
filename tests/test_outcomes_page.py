"""The page on outcomes tells the truth about every row of the table, and leaves none out."""

import re
from pathlib import Path

from proxy import outcome as o
from proxy.http.proxy_status import ERRORS, TLS_ERRORS
from proxy.outcome import OUTCOMES, Outcome

PAGE = (Path(__file__).parents[1] / "docs" / "outcomes.md").read_text(encoding="utf-8")
FACTS, ADVICE, STATUS = re.split("## What it means|## In `Proxy-Status`", PAGE)


def rows(text: str) -> list[list[str]]:
    """The cells of every line that is about a code."""
    found = re.findall(r"^\| (`[a-z_]+` \| .*) \|$", text, re.MULTILINE)
    return [line.split(" | ") for line in found]


def cells(row: Outcome) -> list[str]:
    """What the page must say of `row`."""
    by_status = row is o.UPSTREAM_ERROR
    return [
        f"`{row.code}`",
        f"`{row.term}`",
        str(row.status or ("as upstream" if row.term == "--" else "as sent")),
        "the upstream's own"
        if by_status or row is o.STREAM_ERROR
        else row.message.replace("{n}", "N") or "—",
        "by status" if by_status else "yes" if row.retryable else "no",
        row.cause or "—",
        "by status" if by_status else row.signal,
        "by status" if by_status else row.result or "—",
        "by status" if by_status else row.level,
    ]


def test_every_row_says_what_the_table_says() -> None:
    assert [cells(row) for row in OUTCOMES.values()] == rows(FACTS)


def test_every_code_has_a_meaning_a_check_and_a_remedy() -> None:
    told = {row[0]: row[1:] for row in rows(ADVICE)}

    assert {f"`{code}`" for code in OUTCOMES} == set(told)
    assert len(rows(ADVICE)) == len(OUTCOMES)
    assert {3} == {len([cell for cell in advice if cell.strip()]) for advice in told.values()}


def test_the_error_types_of_proxy_status_are_those_of_the_code() -> None:
    told = {row[0].strip("`"): re.findall("`([a-z_]+)`", row[1]) for row in rows(STATUS)}
    further = {"tls_failure": [kind for kind, _ in TLS_ERRORS]}

    assert told == {code: [kind, *further.get(code, [])] for code, kind in ERRORS.items()}
