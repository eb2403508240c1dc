"""The knobs of a streamed answer."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from proxy.knobs import Duration, Knobs

Text = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\r\n]+$")]
MediaType = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[!#$&^_.+\-a-z0-9]+/[!#$&^_.+\-a-z0-9]+$"
    ),
]
JsonPath = Annotated[str, StringConstraints(pattern=r"^[^.\r\n]+(\.[^.\r\n]+)*$")]


class EndMarkerRule(Knobs, use_attribute_docstrings=True):
    """How a complete stream of a route ends; exactly one of `data`, `event`, `json_field`."""

    mode: Literal["off", "warn", "strict"] = "off"
    """Off: not looked for. Warn: counted, so that you learn whether every complete stream carries
    it. Strict: a stream that ends without it is `stream_truncated`."""
    data: Text | None = None
    """The whole data of an event, or a whole line of NDJSON: `[DONE]`."""
    event: Text | None = None
    """The name of a server-sent event, with data or without: `done`. NDJSON has no names; there
    this marker is not looked for."""
    json_field: JsonPath | None = None
    """A field in the JSON of an event that is set at the end: `choices.0.finish_reason`, `done`.
    Set means present and neither null, false nor an empty string."""

    @model_validator(mode="after")
    def _one_marker(self) -> Self:
        given = [name for name in ("data", "event", "json_field") if getattr(self, name)]
        if self.mode != "off" and len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(
                f"an end marker is exactly one of data, event and json_field, here {found}; "
                "write one, or mode: off"
            )
        return self


class StreamRule(Knobs, use_attribute_docstrings=True):
    """How streams are passed on (`text/event-stream`, lines of JSON, and `types`)."""

    types: tuple[MediaType, ...] = ()
    """Further content types that are streams. Their events are not known: bytes pass as they come,
    the first of them counts as the first event, and a cut aborts."""

    errors: Literal["event", "openai"] = "event"
    """Form of an error inside a server-sent stream: `event: error`, or the data of OpenAI's."""
    hold_first_event: bool = False
    """Whether the head waits for the first event, so that a silent stream can still be retried or
    answered with a 504. The client sees nothing until then."""
    heartbeat: Duration | None = Field(None, gt=0)
    """Silence of the upstream after which the client is sent a comment; none: never.
    It stands between events only and resets no clock."""
    unbuffered: bool = True
    """Whether `X-Accel-Buffering: no` and `Incremental: ?1` are added to streams, and
    `Cache-Control: no-cache` to server-sent ones, where absent, so that the next proxy does not
    hold them back."""
    progress: bool = False
    """Whether a stream is logged when it starts and once a minute, not only when it ends."""
    finish_on_disconnect: bool = False
    """Whether the upstream may finish its answer after the client has left."""
    end_marker: EndMarkerRule = EndMarkerRule()
    """What a complete stream carries at its end, for upstreams that always send it."""
