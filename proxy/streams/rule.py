"""The knobs of a streamed answer."""

from typing import Literal

from pydantic import Field

from proxy.knobs import Duration, Knobs
from proxy.streams.markers import EndMarkerRule


class StreamRule(Knobs, use_attribute_docstrings=True):
    """How streams of events are passed on (`text/event-stream`, `application/x-ndjson`)."""

    errors: Literal["event", "openai"] = "event"
    """Form of an error inside a server-sent stream: `event: error`, or the data of OpenAI's."""
    hold_first_event: bool = False
    """Whether the head waits for the first event, so that a silent stream can still be retried or
    answered with a 504. The client sees nothing until then."""
    heartbeat: Duration | None = Field(None, gt=0)
    """Silence of the upstream after which the client is sent a comment; none: never.
    It stands between events only and resets no clock."""
    unbuffered: bool = True
    """Whether `X-Accel-Buffering: no` and `Cache-Control: no-cache` are added to server-sent
    streams where absent, so that the next proxy does not hold them back."""
    progress: bool = False
    """Whether a stream is logged when it starts and once a minute, not only when it ends."""
    finish_on_disconnect: bool = False
    """Whether the upstream may finish its answer after the client has left."""
    end_marker: EndMarkerRule = EndMarkerRule()
    """What a complete stream carries at its end, for upstreams that always send it."""
