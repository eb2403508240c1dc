"""Whether the SERVER span of an exchange is an error; `always: [failures]` goes by it as well."""

from proxy.exchange import Exchange
from proxy.outcome import INTERNAL_ERROR, is_error


def is_failure(x: Exchange) -> bool:
    """One that counts as an error, was answered with a 5xx, or an answer below 400 that was not
    given whole, for whatever reason but the client."""
    outcome, status = x.outcome or INTERNAL_ERROR, x.status or 0
    is_cut = x.phase == "S" and 0 < status < 400 and outcome.category != "client"
    return is_cut or status >= 500 or is_error(outcome, x.upstream_status)
