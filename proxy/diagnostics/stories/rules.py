"""Settings of the stories: which are kept, where, and for how long."""

from typing import Annotated

from pydantic import Field

from proxy.knobs import Count, Duration, Knobs, Share, Size


class StoriesRule(Knobs):
    """Stories in memory, to be found by their Reference ID."""

    memory: Annotated[Size, Field(ge=64 * 1024)] = 16 * 1024 * 1024
    """Memory for recent exchanges, per worker; half of it is for failures, refusals, 4xx,
    retried and slow ones alone."""
    slow: Duration = 2.5
    """An exchange is slow, and kept like a failure, when its answer, or the first event of its
    stream, took longer."""


class StoreRule(Knobs):
    """Stories and errors on disk, so that they survive a restart."""

    path: Annotated[str, Field(min_length=1)] | None = None
    """SQLite file; its directory is made. null: no store, only memory."""
    sample: Share = 0.01
    """Share of the plain successes; all others are stored: failures, refusals, 4xx, retried and
    slow ones. Those in memory at the end are stored as well, as far as `queue` has room."""
    queue: Count = 10_000
    """Stories that may wait to be written; more are dropped and counted."""
    age: Annotated[Duration, Field(gt=0)] = 7 * 86400.0
    """Older stories are deleted."""
    size: Annotated[Size, Field(ge=1024 * 1024)] = 512 * 1024 * 1024
    """Room for all stories; beyond it the oldest are deleted."""
