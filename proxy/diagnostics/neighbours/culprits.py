"""Who brought a refusal about: the failures that opened a circuit, what spent a budget or a limit,
and which attempts a breaker counted.

Reads the rows of the minute before; what they do not know is not told.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Final

from proxy import outcome as o
from proxy.diagnostics.neighbours.holders import counts_listed, most_named
from proxy.diagnostics.neighbours.limited_by import limited_by
from proxy.diagnostics.neighbours.ring import Ring
from proxy.diagnostics.neighbours.rows import FIELDS, ComparedRow
from proxy.diagnostics.neighbours.telling import Dated, Told
from proxy.diagnostics.neighbours.window import RouteWindow
from proxy.diagnostics.stories.words import count
from proxy.exchange import Exchange
from proxy.observation.redaction import redact
from proxy.outcome import OUTCOMES
from proxy.resilience.opening import Opening

_TAUGHT_NOTHING: Final = (
    "ok", "status_4xx", "status_429", "client_gone", "drained", "circuit_open",
    "stale_connection", "None",
)  # fmt: skip
"""Results of attempts that a breaker does not count as failed."""
_GOOD: Final = 512
"""Good ones that failures are held against."""
_SETTLED: Final = 5.0
"""Seconds after which the failures that opened a circuit have ended, retries included."""
_IN_COMMON: Final = ("endpoint", "path", "method", "client", "agent")
"""Fields that failures may share, besides the team's own."""


class Culprits:
    """`own` are the team's fields, in the order in which rows have them."""

    def __init__(self, own: tuple[str, ...], ring: Ring) -> None:
        self._own, self._ring = own, ring
        self._opened: dict[str, tuple[Opening, Told]] = {}
        """What was told of the latest opening of a circuit, by route."""

    def of(self, x: Exchange, window: RouteWindow, dated: Dated) -> Told:
        """What is known of `x` by the rows of its route up to its end."""
        told: Told = {}
        if x.opening is not None and x.outcome is o.CIRCUIT_OPEN:
            told["circuit"] = self._circuit(x, x.opening, dated)
        if x.outcome is o.RATE_LIMITED:
            told["rate_limit"] = self._let_in(x, window)
        if x.retry_stopped == "budget_spent":
            told["budget"] = self._retries(x, window)
        if x.breaker_counts and x.breaker_counts[0] and x.terms is not None:
            told["attempts"] = _failed(x, window)
        return told

    def user(self, row: ComparedRow) -> str:
        """Who asked: the first of the team's own fields, else the address."""
        for name, value in zip(self._own, row.values[len(FIELDS) :], strict=True):
            if value is not None:
                return f"{name} {value}"
        return f"client {row.values[FIELDS.index('client')]}"

    def _circuit(self, x: Exchange, opening: Opening, dated: Dated) -> Told:
        """Many are refused by one opening: once all its failures have ended, it is told again."""
        known = self._opened.get(x.route)
        if known is not None and known[0] is opening:
            return known[1]
        told = self._opening(x, opening, dated)
        self._opened[x.route] = (opening, told)
        if x.ended - opening.at < _SETTLED:
            del self._opened[x.route]
        return told

    def _opening(self, x: Exchange, opening: Opening, dated: Dated) -> Told:
        wanted = {redact(each.request_id) for each in opening.failures}
        known = {r.request_id: r for r in self._ring.newest_first() if r.request_id in wanted}
        failures: list[Told] = []
        for each in opening.failures:
            shown: Told = {
                "request_id": redact(each.request_id), "code": each.code, "status": each.status,
                "endpoint": each.endpoint, "at": dated(each.at),
            }  # fmt: skip
            row = known.get(redact(each.request_id))
            if row is not None:
                shown["user"] = self.user(row)
                shown |= {name: row.values[FIELDS.index(name)] for name in _IN_COMMON[1:]}
            failures.append({k: v for k, v in shown.items() if v is not None})
        told: Told = {
            "rule": _rule(opening, x),
            "since": dated(opening.at),
            "by_hand": opening.rule == "manual",
            "failures": failures,
            "common": self._common(x, failures),
        }
        return {**told, "words": _words(told, failures)}

    def _common(self, x: Exchange, failures: Sequence[Told]) -> Told:
        """What all failures share, and less than half of the good ones have; one shares nothing."""
        if len(failures) < 2:
            return {}
        first = failures[0]
        shared = [
            key
            for key in ("code", "status", "user", *_IN_COMMON)
            if key in first and all(each.get(key) == first[key] for each in failures)
        ]
        if first.get("user") == f"client {first.get('client')}" and "user" in shared:
            shared.remove("client")  # the user is known by that address alone
        rows = (row for row in self._ring.newest_first() if row.route == x.route and not row.kind)
        good = list(islice(rows, _GOOD))
        return {key: first[key] for key in shared if 2 * self._have(good, key, first) <= len(good)}

    def _have(self, rows: Sequence[ComparedRow], key: str, failure: Told) -> int:
        """How many of these rows have what the failure has."""
        if key == "user":
            return sum(self.user(row) == failure[key] for row in rows)
        place = FIELDS.index(key) if key in FIELDS else None
        return 0 if place is None else sum(row.values[place] == failure[key] for row in rows)

    def _let_in(self, x: Exchange, window: RouteWindow) -> Told:
        """Requests that were let in, and so used up what the limit lets in: those that counted for
        the same client, where the rows say who that is."""
        own, *others = window.newest_first()
        by = limited_by(x)
        passed = [r for r in others if r.kind != o.RATE_LIMITED.code and self._shares(own, r, by)]
        told = self._spent(passed, "request", f"let in on the route {x.route}")
        return told | self._spender(own, passed)

    def _shares(self, own: ComparedRow, other: ComparedRow, by: str) -> bool:
        """Whether both count for the same client of a limit `by` an address or a field."""
        name = "client" if by == "address" else by
        fields = (*FIELDS, *self._own)
        place = fields.index(name) if name in fields else None
        return place is None or own.values[place] == other.values[place]

    def _spender(self, own: ComparedRow, passed: Sequence[ComparedRow]) -> Told:
        """Whose most of those are that were let in: this one's own, or another's."""
        spent = Counter(self.user(row) for row in passed)
        user, n = next(iter(spent.most_common(1)), ("", 0))
        if 2 * n <= len(passed):
            return {}
        share = f"{n} of the {len(passed)} let in in the minute before"
        if user == self.user(own):
            likely = f"It spent the limit itself: {share} were its own ({user})."
            check = f"Look at what {user} asks for so often, and whether it obeys `Retry-After`."
        else:
            likely = f"Another one spent what both share: {share} were those of {user}."
            check = (
                f"Look at what {user} asks for, and let the limit count `by` what tells them apart."
            )
        return {"likely": likely, "check": check}

    def _retries(self, x: Exchange, window: RouteWindow) -> Told:
        """Every retry of the route was paid from its budget."""
        rows = [row for row in window.newest_first() if len(row.tries) > 1]
        paid = [row for row in rows for _ in row.tries[1:]]
        tries = [tried for row in rows for tried in row.tries[:-1]]
        told = self._spent(paid, "retry", f"paid on the route {x.route}")
        told["after"] = most_named(f"{result} at {endpoint}" for endpoint, result in tries)
        words = told["words"]
        if isinstance(words, list) and told["after"]:
            words.append(f"retried after {counts_listed(told['after'])}")
        return told

    def _spent(self, rows: Sequence[ComparedRow], one: str, how: str) -> Told:
        by_user = most_named(self.user(row) for row in rows)
        by_path = most_named(str(row.values[0]) for row in rows)
        by_endpoint = most_named(str(row.values[1]) for row in rows if row.values[1])
        many = count(len(rows), one).replace("retrys", "retries")
        words = [f"in the minute before, {many} {how}: by {counts_listed(by_user)}"]
        words += [f"at {counts_listed(by_endpoint)}"] if by_endpoint else []
        return {
            "count": len(rows), "by_user": by_user, "by_path": by_path, "by_endpoint": by_endpoint,
            "words": words if rows else [f"in the minute before, no {one} {how} is known"],
        }  # fmt: skip


def _failed(x: Exchange, window: RouteWindow) -> Told:
    """What failed of the attempts that the breaker of the route has counted."""
    since = x.ended - (x.terms.breaker.window if x.terms else 0.0)
    most = x.breaker_counts[0] if x.breaker_counts else 0
    found: list[str] = []
    for row in window.newest_first():
        if row.ended < since or len(found) >= most:
            break
        found += [f"{result} at {endpoint}" for endpoint, result in failures(row)]
    failed = most_named(found[:most])
    words = [f"what failed of the attempts: {counts_listed(failed)}"] if failed else []
    return {"failed": failed, "words": words}


def failures(row: ComparedRow) -> list[tuple[str, str]]:
    """Endpoint and result of each attempt that a breaker counts as failed."""
    failed = [tried for tried in row.tries if tried[1] not in _TAUGHT_NOTHING]
    outcome = OUTCOMES.get(row.kind)
    is_of_body = outcome is not None and outcome.result is None
    if is_of_body and outcome is not None and outcome.signal in ("failure", "ratio"):
        failed.append((row.values[1] or "", row.kind))
    return failed


def _rule(opening: Opening, x: Exchange) -> str:
    """The rule that applied, with what it was set to."""
    breaker = x.terms.breaker if x.terms else None
    if breaker is None:
        return opening.rule
    if opening.rule == "consecutive":
        return f"consecutive {breaker.consecutive}"
    if opening.rule == "ratio":
        return f"ratio {breaker.failure_ratio:g} of {breaker.min_attempts} or more"
    return opening.rule


def _words(told: Told, failures: Sequence[Told]) -> list[str]:
    if told["by_hand"]:
        return [f"opened by hand at {str(told['since'])[11:19]}"]
    words = [f"opened at {str(told['since'])[11:19]} by the rule {told['rule']}"]
    for each in failures:
        who = f", {each['user']}" if "user" in each else ""
        how = each.get("status") or each["code"]
        words.append(f"{each['request_id']}: {how} at {each['endpoint']}{who}")
    common = told["common"]
    if isinstance(common, dict) and common:
        shared = ", ".join(str(v) if k == "user" else f"{k} {v}" for k, v in common.items())
        words.append(f"they have in common, and not with most good ones: {shared}")
    return words
