"""Lengths of time, counts and lists as a sentence says them."""

from collections.abc import Sequence


def lasting(seconds: float) -> str:
    """A length of time that was measured: `310 ms`, `20.0 s`, `15.0 min`."""
    if 0 < seconds < 0.001:
        return "less than 1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 600 else f"{seconds / 60:.1f} min"


def limit(seconds: float) -> str:
    """A length of time that was configured: `300 ms`, `20 s`."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def count(n: int, one: str) -> str:
    """`1 event`, `148 events`."""
    return f"{n} {one}" if n == 1 else f"{n} {one}s"


def either(names: Sequence[str]) -> str:
    """`GET`, `GET or PUT`, `GET, PUT or POST`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
