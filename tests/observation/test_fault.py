"""A stack trace names places, never values."""

from proxy.observation.fault import FRAMES, fault_of, trace_of


def fail(depth: int) -> None:
    if depth == 0:
        raise ValueError("a user's secret")
    fail(depth - 1)


def caught(depth: int, cause: BaseException | None = None) -> BaseException:
    try:
        try:
            fail(depth)
        except ValueError as error:
            if cause is not None:
                raise RuntimeError from cause
            return error
    except RuntimeError as error:
        return error
    raise AssertionError


def test_frames_come_outermost_first_and_the_type_last() -> None:
    lines = trace_of(caught(1)).splitlines()

    assert lines[0].partition(":")[0].endswith("tests/observation/test_fault.py")
    assert [line.rpartition(" in ")[2] for line in lines[:-1]] == ["caught", "fail", "fail"]
    assert lines[-1] == "ValueError"
    assert "secret" not in "".join(lines)


def test_a_deep_trace_keeps_its_innermost_frames() -> None:
    assert len(trace_of(caught(FRAMES + 5)).splitlines()) == FRAMES + 1


def test_the_cause_is_named() -> None:
    assert trace_of(caught(0, KeyError("x"))).endswith("\nRuntimeError, from KeyError")


def test_what_is_kept_of_a_fault_is_text() -> None:
    """Its frames would hold on to everything that the exchange had."""
    fault = fault_of(caught(1))

    assert fault.place.startswith("ValueError at test_fault.py:")
    assert fault.place.endswith(" in fail")
    assert fault.trace == trace_of(caught(1))
