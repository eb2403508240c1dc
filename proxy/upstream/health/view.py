"""How one endpoint stands, for people: what checks and traffic say of it together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

EndpointStatus = Literal["up", "usable", "unknown", "down", "ejected", "resting"]
"""The words.

up       its health checks are good
usable   it is not checked, and nothing is known against it
unknown  it is checked, and no check has shown anything yet
down     its health checks failed
ejected  failures of its traffic keep it out of use
resting  it could not be reached, or asked to be left alone: others come first
"""


@dataclass(frozen=True, slots=True)
class EndpointView:
    """One endpoint. Moments are of `clock.now`."""

    endpoint: str
    """Its URL."""
    address: str | None
    """Which of the addresses of its name; None where it has one only."""
    status: EndpointStatus
    reason: str | None = None
    """Why, in technical words; None where there is nothing to say."""
    since: float | None = None
    """When its checks last made it another; None where they did not."""
    until: float | None = None
    """When it is tried again; None where nobody knows."""


def none_is_up(views: Sequence[EndpointView]) -> bool:
    """Whether health checks keep every endpoint out of use."""
    return bool(views) and all(view.status == "down" for view in views)
