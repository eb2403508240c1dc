"""Runbooks for what the record proves beyond the code: the code alone would send people elsewhere."""

# ruff: noqa: E501  # prose, read by paragraphs

from typing import Final

from proxy.diagnostics.stories.runbook import Runbook

CIRCUMSTANCES: Final[dict[str, Runbook]] = {
    "own_pause": Runbook(
        "The exchange took its time because Sidelight itself stood still; neither client nor upstream was waited for.",
        (
            "`sidelight_event_loop_lag_seconds`, and the events `loop_stalled`: once or again and again?",
            "CPU of the container: throttling by a limit, a suspended machine, swapping.",
            "`library` events with a `culprit`, under `python -X dev`: a callback that held up the loop.",
        ),
        ("Give it CPU: a higher limit, or none; fewer processes on that machine.",),
    ),
    "no_end_marker": Runbook(
        "A stream ended in order, but without the end marker of its route; with `stream.end_marker.mode: warn` its code is `completed`.",
        (
            "The upstream's log for this request ID: an error that was swallowed, a limit of tokens, a restart?",
            "`sidelight_stream_end_markers_total`: does every complete stream of the route carry it?",
        ),
        (
            "Mend the upstream; with `mode: strict` clients are told inside the stream.",
            "Where complete streams lack it as well: mend the marker in the settings.",
        ),
    ),
    "upgrade_refused": Runbook(
        "A WebSocket was asked for, and the upstream answered with another status than 101; the code is `upstream_error`.",
        (
            "What was asked and what was answered stands in the story: version, subprotocol, `Connection`.",
            "The upstream's log for this request ID: path, origin, login?",
        ),
        (
            "Without `Connection: Upgrade`: let the proxy in front pass it on.",
            "Another version or subprotocol: update the client or the service.",
        ),
    ),
    "not_readable": Runbook(
        "The answer went out whole, but the browser hides it from its page: `cors` of the route does not name the origin.",
        ("`cors` in the story: the origin as the browser sent it, scheme and port included.",),
        (
            "Add the origin to `cors.origins`.",
            "From a page that is not yours: nothing.",
        ),
    ),
}
"""For ends that call for something else than their code does."""
