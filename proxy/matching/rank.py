"""Which of two routes is the more specific one.

A host before none; an exact path before a pattern before a prefix; among patterns the one with
more literal characters, then the one that ends before the one that takes the rest; among prefixes
the longer one; methods named before none; more headers before fewer; then more parameters; then
more of them with values given.
Routes that are equal in all of it stand in the order of the file.
"""

from proxy.matching.conditions import conditions_of
from proxy.matching.paths import CAPTURE
from proxy.terms import Matching


def specificity(match: Matching) -> tuple[int, ...]:
    """Sort key: the more specific a route, the smaller."""
    path = match.path
    has_captures = "{" in path
    takes_rest = path.endswith(("/", "...}"))
    kind = 1 if has_captures else 2 if takes_rest else 0
    literals = len(CAPTURE.sub("", path))
    with_values = sum(each.values is not None for each in conditions_of(match))
    return (
        *(not match.host, kind, -literals, takes_rest, not match.methods),
        *(-len(match.headers), -len(match.query), -with_values),
    )
