"""What libraries say reaches the log without what clients sent."""

import asyncio
import functools
import logging
import re

import pytest

from proxy.observation import library
from proxy.observation.library import (
    LibraryHandler,
    culprit_of,
    describe,
    give_back_logging,
    take_over_logging,
)
from proxy.observation.log import Log


def _record(message: object = "text %s", level: int = logging.ERROR, fault=None):
    exc_info = (type(fault), fault, fault.__traceback__) if fault else None
    return logging.LogRecord("aiohttp.server", level, "x.py", 1, message, ("value",), exc_info)


def test_the_constant_part_of_a_message_is_kept_and_its_values_are_not() -> None:
    assert {"logger": "aiohttp.server", "message": "text %s"} == describe(_record())


def test_only_the_first_line_is_kept() -> None:
    assert "one" == describe(_record("one\nfuture: <Task secret>"))["message"]


def test_a_fault_is_told_without_its_text() -> None:
    assert "KeyError" == describe(_record(fault=KeyError("secret")))["fault"]


def slow(argument: str) -> None:
    """A callback."""


async def test_the_culprit_of_a_slow_callback_is_named_without_its_arguments() -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    handles = [
        loop.call_later(60, slow, "CANARY at CANARY.py:1"),
        loop.call_soon(functools.partial(slow, "CANARY")),
    ]
    loop.set_debug(False)
    for handle in handles:
        record = _record("Executing %s took %.3f seconds")
        record.args = (repr(handle), 0.2)
        culprit = str(describe(record)["culprit"])
        handle.cancel()

        assert re.fullmatch(r"slow at test_library.py:\d+", culprit), culprit


@pytest.mark.parametrize(
    ("shown", "culprit"),
    [
        (
            "<Task finished coro=<Store.run() done, defined at /a/store.py:21> result='CANARY'>",
            "Store.run at store.py:21",
        ),
        ("<Task pending name='T' coro=<f() running at /a/b.py:5>>", "f at b.py:5"),
        ("<Handle cancelled>", "?"),
        ("CANARY", "?"),
    ],
)
def test_so_is_that_of_a_task(shown: str, culprit: str) -> None:
    assert culprit == culprit_of(shown)


def test_an_object_for_a_message_is_told_by_its_type() -> None:
    assert "KeyError" == describe(_record(KeyError("secret")))["message"]


def test_token_shapes_are_redacted() -> None:
    assert "[redacted]" == describe(_record("Bearer abc"))["message"]


@pytest.mark.parametrize(
    ("number", "level"),
    [(50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"), (35, "WARNING")],
)
def test_the_level_is_the_librarys_own(reader, number: int, level: str) -> None:
    log = Log("widget", reader.fd)
    LibraryHandler(log).emit(_record(level=number))
    log.close()

    assert [("library", level)] == [(e["event"], e["level"]) for e in reader.events()]


def test_a_flood_is_cut_to_a_few_lines_and_a_count(reader, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(library.clock, "now", lambda: now[0])  # type: ignore[attr-defined]
    log = Log("widget", reader.fd)
    handler = LibraryHandler(log, lines=2, window=60)
    for moment in (0.0, 1.0, 2.0, 59.9, 60.0):
        now[0] = moment
        handler.emit(_record())
    monkeypatch.undo()
    log.close()

    assert [None, None, 2] == [event.get("suppressed") for event in reader.events()]


def test_the_log_becomes_the_only_place(reader) -> None:
    log = Log("widget", reader.fd)
    root = logging.getLogger()
    before, level, raises = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    try:
        take_over_logging(log)
        logging.getLogger("some.library").warning("heard %s", "value")
        logging.getLogger("some.library").info("not heard")
        kinds = [type(handler) for handler in root.handlers]
        is_quiet = not logging.raiseExceptions
    finally:
        root.handlers[:], logging.raiseExceptions = before, raises
        root.setLevel(level)
    log.close()

    assert [LibraryHandler] == kinds
    assert is_quiet
    assert ["heard %s"] == [event["message"] for event in reader.events()]


def test_a_log_that_closes_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    take_over_logging(Log(fd=-1))
    give_back_logging()

    assert [] == root.handlers
