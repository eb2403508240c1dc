"""The knobs of active health checks."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from proxy.knobs import Count, Duration, Knobs
from proxy.upstream.host_header import HostHeader

_PATH = re.compile(r"/[!-\"$-~]*")
_STATUS = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")


def _path(text: str) -> str:
    """`text`, if it can be asked for. Raises ValueError otherwise."""
    if not _PATH.fullmatch(text):
        raise ValueError(f"{text!r} is not a path; write one such as /healthz, as it is sent")
    return text


def _status(text: str) -> str:
    """`text`, if it is one status or several in a row. Raises ValueError otherwise."""
    found = _STATUS.fullmatch(text)
    if not found or (found[2] and found[2] < found[1]):
        raise ValueError(f'"{text}" is not a status; write one such as 204, or several as 200-299')
    if int(found[2] or found[1]) < 200:
        raise ValueError(f'"{text}" never ends an answer; write a status from 200 on')
    return text


class HealthRule(Knobs):
    """How the endpoints of an upstream are checked, whether there is traffic or not."""

    path: Annotated[str, AfterValidator(_path)] | None = None
    """Path that is asked, such as /healthz, below that of the endpoint; null: none is checked."""
    method: Literal["GET", "HEAD"] = "GET"
    """Method of the question."""
    host: HostHeader | None = None
    """Its Host header; null: `host` of the upstream, or else the endpoint's own."""
    interval: Annotated[Duration, Field(ge=0.1)] = 5.0
    """From one check of an endpoint to its next, a tenth more or less by chance."""
    timeout: Annotated[Duration, Field(gt=0)] = 1.0
    """For the connection and the whole answer together."""
    up_after: Count = 2
    """Good checks in a row after which an endpoint that was down is used again; the first check
    of all needs no other."""
    down_after: Count = 3
    """Failed checks in a row after which an endpoint is not used any more."""
    status: Annotated[tuple[Annotated[str, AfterValidator(_status)], ...], Field(min_length=1)] = (
        "200-299",
    )
    """Statuses of a good answer: single ones, and ranges such as 200-299."""

    @model_validator(mode="after")
    def _has_time(self) -> Self:
        if self.timeout > 60:
            raise ValueError("timeout of a health check must be at most 1m")
        return self

    @property
    def is_on(self) -> bool:
        """Whether anything is checked."""
        return self.path is not None

    @property
    def statuses(self) -> frozenset[int]:
        """All that are good."""
        ranges = [_STATUS.fullmatch(each) for each in self.status]
        return frozenset(
            status
            for each in ranges
            if each
            for status in range(int(each[1]), int(each[2] or each[1]) + 1)
        )
