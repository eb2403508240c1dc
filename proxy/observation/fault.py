"""The stack trace of a fault of our own: places only, never values, for those may be a user's."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

FRAMES: Final = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """A bug of our own."""

    place: str
    """Type and innermost place; without the exception's text, which may quote a user's data."""
    trace: str
    """Frames, outermost first, and the type: a line each."""


def fault_of(fault: BaseException) -> Fault:
    """What of a bug is kept: its frames would hold on to everything the exchange had."""
    return Fault(fault_place(fault), trace_of(fault))


def fault_place(fault: BaseException) -> str:
    """Type and innermost place of a bug; its text is left out, it may quote a user's data."""
    trace, place = fault.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f" at {PurePath(code.co_filename).name}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return type(fault).__name__ + place


def of_ours(fault: BaseException) -> str:
    """Why something failed, where that is a bug."""
    return f"a fault of ours: {fault_place(fault)}"


def trace_of(fault: BaseException) -> str:
    """One line a frame, outermost first, the type of the exception last; without its text."""
    lines: list[str] = []
    trace = fault.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        file = "/".join(PurePath(code.co_filename).parts[-3:])
        lines.append(f"{file}:{trace.tb_lineno} in {code.co_qualname}")
        trace = trace.tb_next
    cause = fault.__cause__
    ending = type(fault).__name__ + (f", from {type(cause).__name__}" if cause else "")
    return "\n".join([*lines[-FRAMES:], ending])
