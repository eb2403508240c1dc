"""Settings of the stories: which are kept, where, and for how long."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from proxy.diagnostics.stories import store_url
from proxy.knobs import Count, Duration, Knobs, Share, Size


class StoriesRule(Knobs):
    """Stories in memory, to be found by their Reference ID."""

    memory: Annotated[Size, Field(ge=64 * 1024)] = 16 * 1024 * 1024
    """Memory for recent exchanges, per worker; half of it is for failures, refusals, 4xx,
    retried and slow ones alone."""
    slow: Duration = 2.5
    """An exchange is slow, and kept like a failure, when its answer, or the first event of its
    stream, took longer."""


def _checked(url: SecretStr) -> SecretStr:
    store_url.checked(url.get_secret_value())
    return url


class StoreRule(Knobs):
    """Stories and errors in a database, so that they survive a restart."""

    path: Annotated[str, Field(min_length=1)] | None = None
    """SQLite file; its directory is made. null: no store, only memory."""
    url: Annotated[SecretStr, AfterValidator(_checked)] | None = None
    """PostgreSQL that all instances share, `postgresql://user@host:5432/database`, with parameters
    of libpq such as `sslmode` and `passfile`; instead of `path`."""
    sample: Share = 0.01
    """Share of the plain successes; all others are stored: failures, refusals, 4xx, retried and
    slow ones. Those in memory at the end are stored as well, as far as `queue` has room."""
    queue: Count = 10_000
    """Stories that may wait to be written; more are dropped and counted."""
    age: Annotated[Duration, Field(gt=0)] = 7 * 86400.0
    """Older stories are deleted."""
    size: Annotated[Size, Field(ge=1024 * 1024)] = 512 * 1024 * 1024
    """Room for all stories; beyond it the oldest are deleted."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if self.path is not None and self.url is not None:
            raise ValueError(
                "path and url exclude each other; give one of them (the image gives path by "
                "SIDELIGHT_STORE__PATH: set it to null beside a url)"
            )
        return self
