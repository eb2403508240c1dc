"""The knobs of limits."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from proxy.knobs import Knobs, seconds

_RATE = re.compile(r"([1-9][0-9]{0,5})/([0-9]{1,6}[smhd])")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
_LONGEST = 30 * 86400
_BY = (
    "write address, all, or one of { header: X-Api-Key }, { cookie: session } and "
    "{ field: user_id }"
)


def _rate(text: str) -> str:
    """`text`, if it is a rate. Raises ValueError otherwise."""
    match = _RATE.fullmatch(text)
    if match is None or not 1 <= seconds(match[2]) <= _LONGEST:
        raise ValueError(
            f'"{text}" is not a rate; write a number of requests and whole seconds to 30 days, '
            "such as 10/1m"
        )
    return text


def _policy_name(text: str) -> str:
    if not _NAME.fullmatch(text) or len(text) > 64:
        raise ValueError(f'"{text}" is not a name; use up to 64 letters, digits and single dashes')
    return text


class ByRequest(Knobs):
    """A part of the request that tells clients apart: exactly one of header, cookie and field."""

    header: str | None = None
    """Header whose value tells clients apart."""
    cookie: str | None = None
    """Cookie whose value tells clients apart."""
    field: str | None = None
    """Field of `observe.fields` whose value tells clients apart."""

    @property
    def source(self) -> tuple[str, str]:
        """Its kind and its name."""
        if self.header is not None:
            return "header", self.header
        return ("cookie", self.cookie) if self.cookie is not None else ("field", self.field or "")


class RateRule(Knobs):
    """How often the same client may ask. Each route counts for itself."""

    rate: Annotated[
        str, AfterValidator(_rate), Field(json_schema_extra={"pattern": f"^{_RATE.pattern}$"})
    ]
    """Requests in a length of time that are let in for as long as one likes, such as `10/1m`."""
    burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Requests that are let in at once from rest; null: as many as `rate` names."""
    by: Literal["address", "all"] | ByRequest = "address"
    """Who counts as the same client: an `address` (of IPv6 a /64), `all` together, or whoever sends
    the same value; whoever sends none counts by address."""
    name: Annotated[str, AfterValidator(_policy_name)] | None = None
    """Name in headers and metrics; null: the route's, from its second limit on with a number."""
    keys: Annotated[int, Field(ge=1000, le=1_000_000)] = 50_000
    """Clients that are kept in mind at a time, about 200 bytes each; those at rest are forgotten
    first."""
    dry_run: bool = False
    """Whether it only counts and records what it would have refused."""

    @field_validator("by", mode="before")
    @classmethod
    def _is_known(cls, by: object) -> object:
        if isinstance(by, dict):
            given = {key: value for key, value in by.items() if value is not None}
            if len(given) != 1:
                raise ValueError(f"must have exactly one of header, cookie and field; {_BY}")
            for kind, name in given.items():
                if isinstance(name, str) and not _TOKEN.fullmatch(name):
                    raise ValueError(f'"{name}" is not the name of a {kind}')
        elif by not in ("address", "all") and not isinstance(by, ByRequest):
            raise ValueError(f'"{by}" tells nobody apart; {_BY}')
        return by

    @property
    def count(self) -> int:
        return int(self.rate.partition("/")[0])

    @property
    def period(self) -> int:
        """Seconds."""
        return int(seconds(self.rate.partition("/")[2]))

    @property
    def at_once(self) -> int:
        return self.burst or self.count
