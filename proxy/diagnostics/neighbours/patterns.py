"""What a comparison makes likely, and what to look at next: a table of rules.

Each rule names a pattern among the neighbours. Its sentence is an inference and is told as one.
"""

# ruff: noqa: E501  # the table is read by rows: one pattern, one line

from dataclasses import dataclass
from typing import Final

from proxy.diagnostics.neighbours.contrast import Contrast

EVERYBODY: Final = "everybody"
EITHER: Final = "either"
SINCE: Final = "everybody since"
PAIR: Final = "a pair"
CLIENT_LIMIT: Final = "the client's own limit"
CLIENT_WAITED: Final = "the client's own limit, and what it waited for"
IDLE: Final = "idle for too long"
ASKER: Final = "who asks so"
FIELD: Final = "a field"
"""Patterns that are no field of the rows."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """`likely` and `check` may name {value}, {field}, {since}, {after}, {well} and {ill}."""

    likely: str
    check: str = ""
    """Empty: that of the runbook."""


PATTERNS: Final[dict[str, Pattern]] = {
    "path": Pattern("it is about this item, {value}: others of the route seldom or never end so.", "Ask for {value} alone, and look for what is special about it in the upstream's data and log."),
    "item": Pattern("it is about this item, {value}: others of the route seldom or never end so.", "Ask for what names {value} alone, and look for it in the upstream's data and log."),
    "endpoint": Pattern("it is this endpoint, {value}: elsewhere the route seldom or never ends so.", "Compare log, load and version of {value} with those of an endpoint that is well."),
    "connection=new": Pattern("it is about new connections: kept ones seldom or never end so.", "Look at what only a new connection meets: name, address, firewall, TLS, accept queue."),
    "connection=reused": Pattern("it is about kept connections: new ones seldom or never end so.", "Compare `pool.keep_alive` with the keep-alive timeout of the upstream and of what stands between."),
    "client": Pattern("it is this client's address, {value}: others seldom or never end so.", "Look for what {value} does otherwise, and what stands between it and here."),
    "agent": Pattern("it is this kind of client, {value}: others seldom or never end so.", "Compare a request of {value} with one of another client: headers, body, version."),
    "method": Pattern("it is about the method {value}: others seldom or never end so.", "Look for what the upstream does only on {value}."),
    "host": Pattern("it is about the host {value}: others seldom or never end so.", "Look how the upstream treats the host {value}."),
    "size": Pattern("it is about the size of the request ({value}): others seldom or never end so.", "Send the same with a smaller body and see whether it ends otherwise; compare the limits of the upstream."),
    "stream=stream": Pattern("it is about streams: plain answers seldom or never end so.", "Look at what only a stream needs: the model behind it, buffering, idle timeouts between."),
    "stream=plain": Pattern("it is about plain answers: streams seldom or never end so.", "Look for what the upstream does only for plain answers."),
    "settings": Pattern("it is about the settings {value}: under others it seldom or never ended so.", "Compare the settings in force with those before (`config_loaded` in the log)."),
    "instance": Pattern("it is this instance, {value}: on others the route seldom or never ends so.", "Compare settings, version, node and network of {value} with those of an instance that is well."),
    FIELD: Pattern("it is about {field} {value} alone: others seldom or never end so.", "Look for what is special about {field} {value}: its data, its rights, its size."),
    PAIR: Pattern("it takes both together: {value}.", "Ask for one without the other."),
    EITHER: Pattern("it is one of these, which the same requests have, so that they cannot be told apart: {value}.", "Ask with one of them and without the others."),
    SINCE: Pattern("something changed at {since}, for everybody on the route: before it was well.", "Look for what happened at {since}: a deployment, a restart, a change of settings or of the network."),
    EVERYBODY: Pattern("it is the route or its upstream as a whole: whoever asks fares the same.", "Ask the upstream directly; look at what all its endpoints share."),
    ASKER: Pattern("only some send such requests: {value}. Others of the route seldom or never do."),
    IDLE: Pattern("connections are closed by the other side when they have idled for some time: those that had idled for {ill} or longer ended so, those that had for {well} at most were well.", "Set `pool.keep_alive` to {well} or less, or raise the keep-alive timeout of the upstream and of what stands between."),
    CLIENT_WAITED: Pattern("the client has a limit of its own, of about {after}, and what it asked for takes longer: {value}.", "Find out why {value} takes so long, and look for a timeout of {after} in that client."),
    CLIENT_LIMIT: Pattern("the client has a limit of its own, of about {after}.", "Look for a timeout of {after} in that client, and for what it waited for."),
}  # fmt: skip
"""By the name of a field, with its value where it matters, or by the name of a pattern."""

MISSING: Final = "none"


def pattern_of(found: Contrast) -> Pattern:
    """The rule for what was found."""
    if len(found.values) > 1:
        return PATTERNS[PAIR]
    name, value = found.values[0]
    return PATTERNS.get(f"{name}={value}") or PATTERNS.get(name) or PATTERNS[FIELD]
