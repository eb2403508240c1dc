"""Reads B3 (Zipkin): the `b3` header, or the `X-B3-*` ones. Written is W3C Trace Context alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TRACE = rb"(?!0+-|0+\Z)([0-9a-f]{32}|[0-9a-f]{16})"
_SPAN = rb"(?!0{16})([0-9a-f]{16})"
_SINGLE = re.compile(_TRACE + b"-" + _SPAN + rb"(?:-([01d]))?(?:-[0-9a-f]{16})?")
_TRACE_ID, _SPAN_ID = re.compile(_TRACE), re.compile(_SPAN)
_DECISIONS = {b"0": False, b"1": True, b"d": True, b"true": True, b"false": False}


@dataclass(frozen=True, slots=True)
class B3:
    """What B3 said: IDs in lower-case hex digits, empty where it named none."""

    trace_id: str
    span_id: str
    sampled: bool | None
    """None: the decision is left to us."""


def read_b3(fields: Mapping[bytes, bytes]) -> B3 | None:
    """None where there is no valid B3. The single header goes before the others."""
    single = fields.get(b"b3")
    if single is not None and (said := _single(single.lower())) is not None:
        return said
    decision = _decision(fields)
    trace_id = _TRACE_ID.fullmatch(fields.get(b"x-b3-traceid", b"").lower())
    span_id = _SPAN_ID.fullmatch(fields.get(b"x-b3-spanid", b"").lower())
    if trace_id is not None and span_id is not None:
        return B3(_padded(trace_id[1]), span_id[1].decode(), decision)
    return None if decision is None else B3("", "", decision)


def _single(value: bytes) -> B3 | None:
    if value in _DECISIONS:
        return B3("", "", _DECISIONS[value])
    match = _SINGLE.fullmatch(value)
    if match is None:
        return None
    return B3(_padded(match[1]), match[2].decode(), _DECISIONS.get(match[3]))


def _decision(fields: Mapping[bytes, bytes]) -> bool | None:
    if fields.get(b"x-b3-flags") == b"1":
        return True
    return _DECISIONS.get(fields.get(b"x-b3-sampled", b"").lower())


def _padded(trace_id: bytes) -> str:
    """A trace ID of 64 bits stands in the lower half of one of 128."""
    return trace_id.decode().rjust(32, "0")
