"""`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers): what a client may do.

They stand on lines of their own: fields of the same name that the upstream sent stay as they are.
"""

from collections.abc import Sequence
from math import ceil

from proxy.limits.gcra import Decision, Quota


def policy_fields(policies: Sequence[tuple[bytes, Quota]]) -> bytes:
    """The line with every policy, `q` requests in `w` seconds; nothing where there is none."""
    if not policies:
        return b""
    members = [b'"%b";q=%d;w=%d' % (name, quota.count, quota.period) for name, quota in policies]
    return b"RateLimit-Policy: %b\r\n" % b", ".join(members)


def limit_template(names: Sequence[bytes]) -> bytes:
    """The line of `limit_fields` with places for `r` and `t` of each of these limits in turn."""
    members = [b'"%b";r=%%d;t=%%d' % name for name in names]  # names have no per cent sign
    return b"RateLimit: %b\r\n" % b", ".join(members)


def limit_fields(decisions: Sequence[tuple[bytes, Decision]]) -> bytes:
    """The line with what is left: `r` requests at once, and `t` seconds until there are as many as
    from rest."""
    members = [
        b'"%b";r=%d;t=%d' % (name, one.remaining, ceil(one.reset)) for name, one in decisions
    ]
    return b"RateLimit: %b\r\n" % b", ".join(members)
