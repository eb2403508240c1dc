"""Backoff: exponential, capped, with jitter.

The only module that knows `backoff`, which is archived: this is the place to replace it.
Of that library only the wait generator is used.
Its decorator overshoots its own time limit and adds jitter on top of the cap.
"""

from collections.abc import Callable, Iterator

import backoff

Random = Callable[[], float]
"""A source of floats in [0, 1), such as `random.random`."""


def growing(first: float, longest: float, jitter: float, rng: Random) -> Iterator[float]:
    """Waits in seconds without end: about `first`, doubling, never above `longest`.

    Each varies by the part `jitter` up and down.
    Growth stops at `longest / (1 + jitter)`: cut off afterwards, half of the waits at the cap would
    be equal, and a herd would return together.
    """
    calm = backoff.expo(base=2, factor=first, max_value=longest / (1 + jitter))
    next(calm)  # backoff's generators yield one None before the first wait
    for wait in calm:
        yield min(longest, wait * (1 + jitter * (2 * rng() - 1)))
