"""One writer for each fact: who may write which field of the record.

Read from the source: an assignment to an attribute of what is, by the names of this house, an
exchange (`x`, `exchange`) or an attempt (`tried`, `attempts[-1]`).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.attempt_record import Attempt
from proxy.exchange import Exchange

PROXY = Path(__file__).parents[1] / "proxy"

OF_ANOTHER_TIME = {
    "diagnostics/stories/from_log": "makes a record of its own out of a line of the log",
    "diagnostics/stories/log_facts": "the same, for what lies beyond how it ended",
    "diagnostics/neighbours/published": "makes a record of its own out of what was published",
    "observation/recorded": "redacts a record that has ended, in place",
    "tracing/span_queue": "drops the span of a record once it is written",
}
"""Modules that write to records which are not under way."""

WRITERS = {
    "exchange": "spent status committed phase outcome detail ended streamed reads max_gap "
    "max_gap_at last_byte bytes_in bytes_out attempts is_raw raw_coding clock_ran span_context",
    "opening": "config_hash request_id id_is_ours client_request_id span user_agent "
    "client_cert host fields",
    "admission": "would_refuse",
    "fallback/giving": "fallback",
    "forward": "replaced_by route upstream terms fault breaker_state breaker_counts opening",
    "attempts": "breaker_before retry_stopped",
    "respond": "upstream_status upstream_ids upstream_request_id",
    "own_response": "retry_in masked",
    "context": "interim",
    "diagnostics/neighbours/desk": "around",
    "evidence/gather": "evidence",
    "streams/relay": "events first_event end_marker held",
}
"""The fields of an exchange that one module writes; `exchange` by its methods."""

TWO_WRITERS = {
    "cancelled": {"forward", "websocket/tunnel"},
    "inband_error": {"streams/relay", "websocket/tunnel"},
}
"""Fields with more than one writer: no exchange is a stream and a tunnel. May only shrink."""

BEGUN_WITH = {"started", "started_wall", "method", "target", "client_ip"}
"""What the constructor is given, and nobody writes."""

OF_ATTEMPTS = {
    "attempt_record": "status result outcome detail link use idle",
    "attempt": "endpoint address chosen reused connect head sent queued span_id in_vain "
    "resolved upload",
    "attempts": "pause upstream_ids retry_after budget_left",
}
"""The fields of an attempt, by their one writer; `started` is what it begins with."""


def written_by(names: str) -> dict[str, set[str]]:
    """Modules by the attribute that they assign, of anything called one of `names`."""
    found: dict[str, set[str]] = {}
    for path in PROXY.rglob("*.py"):
        module = path.relative_to(PROXY).with_suffix("").as_posix()
        if module not in OF_ANOTHER_TIME:
            for field in _assigned(ast.parse(path.read_text(encoding="utf-8")), names.split()):
                found.setdefault(field, set()).add(module)
    return found


def own_writes(module: str, kind: str) -> set[str]:
    """What the methods of a record assign, its constructor left out."""
    tree = ast.parse((PROXY / f"{module}.py").read_text(encoding="utf-8"))
    (record,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind)
    methods = [n for n in record.body if isinstance(n, ast.FunctionDef) and n.name != "__init__"]
    return {field for method in methods for field in _assigned(method, ["self"])}


def _assigned(tree: ast.AST, names: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store | ast.Del)
            and _called(node.value) in names
        ):
            yield node.attr


def _called(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return f"{_called(value)}[]"
    return ""


def listed(rows: dict[str, str]) -> dict[str, set[str]]:
    return {field: {module} for module, fields in rows.items() for field in fields.split()}


def fields_of(module: str, kind: str) -> list[str]:
    """From the source: compiled classes have no annotations."""
    tree = ast.parse((PROXY / f"{module}.py").read_text(encoding="utf-8"))
    (record,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind)
    return [
        n.target.id
        for n in record.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    ]


def found(kind: type, names: str) -> dict[str, set[str]]:
    writers = written_by(names)
    home = kind.__module__.removeprefix("proxy.")
    for field in own_writes(home, kind.__name__):
        writers.setdefault(field, set()).add(home)
    return {field: writers.get(field, set()) for field in fields_of(home, kind.__name__)}


def test_each_fact_of_an_exchange_has_one_writer() -> None:
    filled_in_place = {"spent": {"exchange"}, "attempts": {"exchange"}}
    writers = found(Exchange, "x _x exchange") | filled_in_place

    assert {**listed(WRITERS), **TWO_WRITERS, **{f: set() for f in BEGUN_WITH}} == writers


def test_each_fact_of_an_attempt_has_one_writer() -> None:
    writers = found(Attempt, "tried attempts[]")

    assert {**listed(OF_ATTEMPTS), "started": set()} == writers


@pytest.mark.parametrize(
    ("called", "by"),
    [
        pytest.param(("exchange", "end"), {"context"}, id="the one way to end"),
        pytest.param(("exchange", "commit"), {"context"}, id="the one commit point"),
        pytest.param(("x", "end"), {"observation/recorder"}, id="an end that was forgotten"),
        pytest.param(("x", "commit"), set(), id="no other commit"),
    ],
)
def test_a_record_ends_and_commits_by_the_context(called: tuple[str, str], by: set[str]) -> None:
    callers = {
        path.relative_to(PROXY).with_suffix("").as_posix()
        for path in PROXY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (_called(node.func.value), node.func.attr) == called
    }

    assert by == callers


def test_a_record_is_called_by_its_name() -> None:
    """Else the lists above would not see who writes it."""
    names = {
        arg.arg
        for path in PROXY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for arg in node.args.args + node.args.kwonlyargs
        if isinstance(arg.annotation, ast.Name) and arg.annotation.id == "Exchange"
    }

    assert names <= {"x", "exchange"}
