"""Whether an answer is known to be larger than its route passes on, before a byte goes out."""

from proxy.http.framing import ResponseHead


def is_too_large(head: ResponseHead, limit: int | None, read: int = 0) -> bool:
    """`read` is what of the body is here; a `limit` of None: any size.

    What has no body is not judged by the length that it announces: 304, and answers to HEAD.
    """
    if limit is None or head.framing == "none":
        return False
    return max(head.length or 0, read) > limit
